"""How often a property is tried: a few times in `make test`, as often as Hypothesis holds right in the others.

And SIGHUP as a terminal has it: under `nohup` every program that a test starts, and hangs up on, would live on.
"""

import signal

from hypothesis import Phase, settings

signal.signal(signal.SIGHUP, signal.SIG_DFL)

# No deadline: a busy machine is no reason to fail.
settings.register_profile("fast", deadline=None, max_examples=15)
settings.register_profile("full", deadline=None)
settings.register_profile(  # the same examples for each mutant, and none made short: that it fails is all one wants to know
    "mutate", deadline=None, max_examples=25, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate]
)
settings.load_profile("fast")  # `--hypothesis-profile=full` is the other one
