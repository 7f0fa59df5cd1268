"""What the package index is told that depends on where the project is built: addresses, and a README that leads there.

The repository itself names no address, so that its links lead into whichever copy is read. A release says where it is:
`PROJECT_URL=https://github.com/OWNER/reconciler hatchling build`; without it a package has no addresses.
"""

import os
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class Addresses(MetadataHookInterface):
    """Fills in `readme` and `urls`; what is built from a source distribution has them already."""

    def update(self, metadata: dict[str, Any]) -> None:
        """As hatchling asks for it."""
        home = os.environ.get("PROJECT_URL", "").rstrip("/")
        if "readme" not in metadata:
            text = Path(self.root, "README.md").read_text(encoding="utf-8")
            text = absolute(text, home, f"v{metadata['version']}") if home else text
            metadata["readme"] = {"content-type": "text/markdown", "text": text}
        if "urls" not in metadata:
            metadata["urls"] = urls(home) if home else {}


def absolute(text: str, home: str, tag: str) -> str:
    """Markdown whose links and pictures, but those with a host or within the page, lead to the repository at a tag."""
    relative = r"(?!https?://|#)([^)\s]+)"
    text = re.sub(rf"!\[([^\]]*)\]\({relative}\)", rf"![\1]({home}/raw/{tag}/\2)", text)
    return re.sub(rf"(?<!!)\[([^\]]*)\]\({relative}\)", rf"[\1]({home}/blob/{tag}/\2)", text)


def urls(home: str) -> dict[str, str]:
    """What stands beside a project on the index."""
    return {
        "Homepage": home,
        "Documentation": f"{home}/blob/main/docs/index.md",
        "Changelog": f"{home}/blob/main/CHANGELOG.md",
        "Issues": f"{home}/issues",
        "Source": home,
    }
