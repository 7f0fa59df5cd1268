"""What git remembers: base, the record, and who set what.

What belongs here: the local git, asked with as few processes as can be, and the record, which alone is ever written.
What doesn't: what is live, what manifests mean (`desired`), and any thought of what to do about it (`plan`).
"""
