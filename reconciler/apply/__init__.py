"""A plan in, its results out: what is sent, in which order, how many at once, and when it counts as done.

`protocol` has the events, the steps and the states as data; `judge` reads a list; `share` is one target's part and
`machine` the whole run: all of them pure. `driver` alone does I/O. `recording` says what the record holds before and
after.

What doesn't belong here: deciding what to change (the plan is carried out as it is), the wire (`live`), showing
(`report`).
"""
