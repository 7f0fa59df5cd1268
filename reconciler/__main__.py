"""The process: signals and descriptors are put in order before anything else is imported."""

import sys
from typing import NoReturn

from reconciler.cli.signals import Signals
from reconciler.cli.streams import fill_standard_descriptors


def run() -> NoReturn:
    """Run the command line of this process; never returns."""
    signals = Signals()
    signals.install()
    fill_standard_descriptors()
    from reconciler.cli.main import exit_code_of  # noqa: PLC0415  # a signal may come while click is imported

    code = exit_code_of(sys.argv[1:], signals)
    signals.ignore()
    sys.exit(code)


if __name__ == "__main__":
    run()
