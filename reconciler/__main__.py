"""The process: signals and descriptors are put in order before anything else is imported."""

import gc
import os
import signal
import sys
from typing import Final, NoReturn

_GARBAGE: Final = 250_000
"""Objects made, beyond those that went, before cycles are looked for. Of what a command makes nearly all stays to its
end: looked through every 700 objects, as the interpreter would, it takes a tenth of a plan's time."""


def run() -> NoReturn:
    """Run the command line of this process; never returns."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the interpreter's own way would show a traceback of an import
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # to look for them takes a tenth of a plan's start
    from reconciler.cli.signals import Signals  # noqa: PLC0415
    from reconciler.cli.streams import fill_standard_descriptors  # noqa: PLC0415

    gc.set_threshold(_GARBAGE)
    signals = Signals()
    signals.install()
    fill_standard_descriptors()
    from reconciler.cli.main import exit_code_of  # noqa: PLC0415  # a signal may come while click is imported

    code = exit_code_of(sys.argv[1:], signals)
    signals.ignore()
    # Nothing is buffered, and no thread runs: what the interpreter would take down piece by piece may simply end.
    os._exit(code)


if __name__ == "__main__":
    run()
