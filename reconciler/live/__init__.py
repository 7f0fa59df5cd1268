"""What the API says the clusters are, and the two requests that change them.

Its paths, bodies and answers, over `wire`. What doesn't belong here: how HTTP is spoken and tried again (`wire`),
deciding what to send (`plan`), when and in which order (`apply`).
"""
