"""A plan or its results in, a string out: text, JSON, Markdown, SARIF, annotations. Pure.

Every string that came from outside is made harmless here for the medium at hand. What doesn't belong here: opening
files, writing to a terminal, deciding anything.
"""
