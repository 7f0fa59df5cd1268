"""HTTP for `live` and `forge`: one client, one policy of retries, TLS, proxies, bounded bodies.

The only room that knows httpx: its exceptions, and those of ssl and the sockets below it, stop here and become those of
`reconciler.errors`. What doesn't belong here: paths, what a status means to a cluster or a pull request, and the shape
of what comes back; that is `live`'s and `forge`'s.
"""
