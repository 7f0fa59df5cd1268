"""Rounds, again and again: when each target's next one is, and how those that overlap are kept apart.

What doesn't belong here: what a round does (`reconcile`, `cli`), and who watches it (`serve`).
"""
