"""What is live, written as manifests that a person would have written: the loader turned round.

Pure: clusters and the text of files in, the text of files out. What doesn't belong here: asking the service, writing to
disk, and any thought of what the manifests will make of the clusters.
"""
