"""Colour for a terminal, or none."""

from typing import NamedTuple


class Style(NamedTuple):
    """Wraps text in SGR sequences where `color` is true; text must be harmless already."""

    color: bool

    def bold(self, text: str) -> str:
        """What a reader looks for first."""
        return self._wrap("1", text)

    def dim(self, text: str) -> str:
        """What a reader may pass over."""
        return self._wrap("2", text)

    def red(self, text: str) -> str:
        """What destroys, or failed."""
        return self._wrap("31", text)

    def green(self, text: str) -> str:
        """What is made, or went well."""
        return self._wrap("32", text)

    def yellow(self, text: str) -> str:
        """What is changed, or wants attention."""
        return self._wrap("33", text)

    def _wrap(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.color and text else text
