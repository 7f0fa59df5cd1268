"""The API key, and how it is kept out of everything."""

from collections.abc import Iterable
from dataclasses import dataclass

MASK = "[api key]"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key that doesn't show itself: `reveal` is called where the header is made, and nowhere else."""

    _value: str

    def reveal(self) -> str:
        """The key itself."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__


def redact(text: str, keys: Iterable[ApiKey]) -> str:
    """The text with each key, wherever it stands, replaced by `[api key]`."""
    for key in keys:
        if key.reveal():
            text = text.replace(key.reveal(), MASK)
    return text
