"""What git says the clusters should be: bytes in, declarations out.

What belongs here: YAML, the manifest's rules with their messages, the fleet file, folders and streams. What doesn't:
what is live, and any thought of what to do about it.
"""
