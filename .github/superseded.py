"""Whether an apply that ended in 4 was superseded: newer work was applied, or is on the branch and has its own run.

Then it sent nothing, and there is nothing to mend. Any other refusal with the same exit, such as a change that nobody
reviewed, waits for somebody.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def main() -> int:
    """0 for the document of an apply that was superseded, else 1; 1, too, for one that can't be read."""
    try:
        document = json.loads(Path(sys.argv[1]).read_bytes())
    except (OSError, ValueError):
        return 1
    return 0 if is_superseded(document) else 1


def is_superseded(document: Mapping[str, Any]) -> bool:
    """Whether HEAD's age is all that kept the plans from being made."""
    errors = document.get("errors", [])
    return bool(errors) and all(error["kind"] == "stale-head" for error in errors)


if __name__ == "__main__":
    sys.exit(main())
