"""What is said on the forge: the pull request's one comment, and a target's one drift issue.

It finds, creates and edits them; the Markdown in them comes in as text. What doesn't belong here: how a plan reads
(`report`), which command says what (`cli`), and any word with the service that keeps the clusters (`live`).
"""
