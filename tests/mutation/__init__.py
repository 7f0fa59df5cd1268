"""Breaks a room's code in every small way, and tells what neither a test nor the type checker notices.

`mutants` makes the broken functions, `typed` tells which of them mypy refuses, `trials` runs on each of the others the
tests that reach what is broken. What survives is a promise that nobody tests, or code that nobody needs.
"""
