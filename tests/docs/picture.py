"""The README's picture: what `make demo` prints on a terminal, drawn.

It brings its own background, so it reads the same on a light page and on a dark one, and names only fonts that machines
have. Each line of the terminal is a line of the file, so that a diff of it can be read.
"""

import os
import re
import subprocess
import sys
from html import escape
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parent.parent.parent
PICTURE = ROOT / "docs/plan.svg"
COMMAND = "reconciler plan --sandbox --prune --target us-east-1"

_CLASSES: Final = {"0": "", "1": "bold", "2": "dim", "31": "red", "32": "green", "33": "yellow", "36": "cyan"}
"""What the program writes of a terminal's codes; another one is an error."""
_CELL, _LINE, _MARGIN = 8.43, 19, 16
"""Of 14 px monospace: a character's width; a line's height; the room around all, in px."""

_SVG: Final = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">
<title>{title}</title>
<style>
text {{ font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #e6edf3; white-space: pre; }}
.bold {{ font-weight: bold; }} .dim {{ fill: #9198a1; }} .red {{ fill: #ff7b72; }} .green {{ fill: #3fb950; }}
.yellow {{ fill: #d29922; }} .cyan {{ fill: #39c5cf; }}
</style>
<rect width="{width}" height="{height}" rx="8" fill="#161b22"/>
{lines}
</svg>
"""


def demo() -> str:
    """What `make demo` prints, with a terminal's colours."""
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {"FORCE_COLOR": "1"}
    tour = [sys.executable, "tests/demo.py"]
    return subprocess.run(tour, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout


def plain(text: str) -> str:
    """Without colours."""
    return re.sub(r"\x1b\[[\d;]*m", "", text)


def drawn(printed: str) -> str:
    """The step of the demo that the picture shows, as SVG."""
    step = printed.partition(f"$ {COMMAND}\n")[2].partition("\n(exit ")[0]
    shown = [f"$ {COMMAND}", *step.rstrip().splitlines()]
    texts = [
        f'<text x="{_MARGIN}" y="{_MARGIN + (number + 0.8) * _LINE:g}" xml:space="preserve">{_spans(line)}</text>'
        for number, line in enumerate(shown)
        if line
    ]
    width = max(len(plain(line)) for line in shown) * _CELL + 2 * _MARGIN
    height = len(shown) * _LINE + 2 * _MARGIN
    return _SVG.format(
        width=round(width), height=height, title=escape(f"What {COMMAND} prints"), lines="\n".join(texts)
    )


def _spans(line: str) -> str:
    text, *rest = re.split(r"\x1b\[([\d;]*)m", line)
    drawn = escape(text)
    for code, following in zip(rest[::2], rest[1::2], strict=True):
        words = " ".join(_CLASSES[one] for one in code.split(";"))
        drawn += f'<tspan class="{words}">{escape(following)}</tspan>' if words and following else escape(following)
    return drawn
