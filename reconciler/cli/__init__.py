"""The command line: one file a command. Builds the parts, calls `reconcile`, prints, and ends in an exit code.

What doesn't belong here: anything that another front end would need too.
"""
