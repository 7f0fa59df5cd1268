"""A plan in, its results out: what is sent, in which order, how many at once, and when it counts as done.

What doesn't belong here: deciding what to change (the plan is carried out as it is), the wire (`live`), showing
(`report`).
"""
