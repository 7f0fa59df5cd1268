"""The page: one document that brings its own style and script along, which alone its policy lets run.

Each text that is told goes through one filter: secrets are taken out, what could steer or hide is escaped, and then
HTML's own escaping comes. No text is an address, a style, a name of a class or part of the script.
"""

from base64 import b64encode
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reconciler import __version__
from reconciler.model.text import printable
from reconciler.serve.picture import Picture
from reconciler.serve.view import view_of

_TEMPLATES: Final = Path(__file__).parent / "templates"
_STYLE: Final = (_TEMPLATES / "page.css").read_text(encoding="utf-8")
_SCRIPT: Final = (_TEMPLATES / "page.js").read_text(encoding="utf-8")
_LONGEST: Final = 2000
"""Characters of one text: an error may be a page, and a page of pages is none."""


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


CONTENT_SECURITY_POLICY: Final = (
    f"default-src 'none'; style-src {_hash(_STYLE)}; script-src {_hash(_SCRIPT)}; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""No other style, script, frame or host, whatever a name or an error holds."""


def render_page(picture: Picture, now: float, clean: Callable[[str], str]) -> str:
    """The page as of now; `clean` takes secrets out of a text."""
    page: str = _template(clean).render(page=view_of(picture, now), version=__version__)
    return page


@cache
def _template(clean: Callable[[str], str]) -> Any:
    def shown(value: object) -> str:
        return value if isinstance(value, Markup) else printable(clean(str(value)), _LONGEST)

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"style": Markup(_STYLE), "script": Markup(_SCRIPT)}  # noqa: S704  # files of this package
    return environment.get_template("page.html")
