"""Declared and live clusters in, a plan out. Pure: no I/O, no time, no chance.

What belongs here: comparing, explaining, guarding, the plan as a JSON document and its digests. What doesn't: reading,
sending, and the words and colours of a report.
"""
