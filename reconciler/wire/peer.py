"""Who is spoken to, with which key, and how their words are made harmless."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import urlsplit

from reconciler.model.secret import ApiKey, redact
from reconciler.model.text import printable

LONGEST_WORDS = 300
"""Characters of the other end's own words that are shown."""


class Peer(NamedTuple):
    """The other end. `address` is `https://HOST[:PORT][/PATH]`, without a slash at its end.

    `check` names the settings that the address comes from, for remedies. `headers` go with every request, beside the
    key; `bearer`: the key is sent as a bearer token, and not raw. `certificates`: a file of whom to trust, in place of
    those that this environment trusts.
    """

    address: str
    key: ApiKey
    check: str
    headers: Mapping[str, str] = MappingProxyType({})
    bearer: bool = False
    certificates: str | None = None

    @property
    def host(self) -> str:
        """Host and port, as they are shown."""
        return urlsplit(self.address).netloc

    @property
    def authorization(self) -> str:
        """The header of this name."""
        return f"Bearer {self.key.reveal()}" if self.bearer else self.key.reveal()

    def harmless(self, text: str) -> str:
        """Words from outside in one line, without the key, of at most 300 characters.

        The key goes first: a cut could leave half of it, an escape could hide it.
        """
        return printable(redact(text, [self.key]), LONGEST_WORDS)
