"""What `run --listen` shows of the loop: probes, metrics, its state as JSON, one page. It reads, and changes nothing.

Where a target stands is one frozen picture, made anew with each event; everything that is served is drawn from it.
What is read or applied, when, and how, belongs to the rooms below. starlette, uvicorn, prometheus-client and jinja2 are
an extra: `picture`, `events` and `address` need none of them.
"""
