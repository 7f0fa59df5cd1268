"""A Lease of Kubernetes' coordination API: of several replicas of `run --apply`, one applies.

Three requests over `wire`, and the rules of who may hold the lease and until when. Nobody's clock is compared with
anybody else's: who waits measures how long the lease hasn't changed before their own eyes, and who holds it counts from
before the request that renewed it. What doesn't belong here: rounds, and what is done in them.
"""
