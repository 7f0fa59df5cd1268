"""What the API says the clusters are, and the two requests that change them.

The only room, with `forge`, that knows httpx: its exceptions stop here and become those of `reconciler.errors`. What
doesn't belong here: deciding what to send (`plan`), when and in which order (`apply`).
"""
