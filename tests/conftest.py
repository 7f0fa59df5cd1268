"""How often a property is tried: a few times in `make test`, as often as Hypothesis holds right in the others."""

from hypothesis import settings

# No deadline: a busy machine is no reason to fail.
settings.register_profile("fast", deadline=None, max_examples=25)
settings.register_profile("full", deadline=None)
settings.load_profile("fast")  # `--hypothesis-profile=full` is the other one
