"""What the world knows that the program has to find out: who made each cluster, who set each value, who took it away."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from reconciler.model.cluster import FieldValue, Values

Author: TypeAlias = Literal["hand", "tool"]
Key: TypeAlias = tuple[str, str]
"""An account and a cluster's name."""


@dataclass(slots=True)
class Incarnation:
    """One cluster from its create to its delete.

    `recorded` is when the run that made it had told the record what the service answered. `written` are the values that
    each has ever put there by path; what an update only carries is nobody's.
    """

    maker: Author
    recorded: float = math.inf
    written: dict[Author, dict[str, set[FieldValue | None]]] = field(default_factory=lambda: {"hand": {}, "tool": {}})

    def put(self, who: Author, values: Values) -> None:
        """Somebody's values were taken."""
        for path, value in values.items():
            self.written[who].setdefault(path, set()).add(value)

    def surely(self, who: Author, path: str, value: FieldValue | None) -> bool:
        """Whether this value can only be theirs."""
        other: Author = "tool" if who == "hand" else "hand"
        mine, others = self.written[who].get(path, set()), self.written[other].get(path, set())
        return value in mine and value not in others


@dataclass(slots=True)
class Truth:
    """All clusters that there are, and who took away the last of each name that there was."""

    standing: dict[Key, Incarnation] = field(default_factory=dict)
    gone_by: dict[Key, Author] = field(default_factory=dict)
    contested: set[Key] = field(default_factory=set)
    """What two did something to at once: whose a value is there nobody knows."""

    def put(self, key: Key, who: Author, values: Values, *, exists: bool) -> None:
        """A PUT was taken that meant these values."""
        if not exists or key not in self.standing:
            former = self.standing.get(key)
            self.standing[key] = Incarnation(who)
            if former is not None:  # the record may have them still: who sets the same again can't be told from it
                self.standing[key].written["tool"] = former.written["tool"]
        self.standing[key].recorded = math.inf
        self.standing[key].put(who, values)

    def record(self, created: Iterable[Key], at: float) -> None:
        """What a run was answered on its creates, the record has from now on."""
        for key in created:
            self.standing[key].recorded = min(at, self.standing[key].recorded)

    def forget(self) -> None:
        """Nothing is any more as the record was told."""
        for incarnation in self.standing.values():
            incarnation.recorded = math.inf

    def delete(self, key: Key, who: Author) -> None:
        """A DELETE was taken."""
        self.gone_by[key] = who

    def at(self, key: Key) -> Incarnation | None:
        """The cluster of this name."""
        return self.standing.get(key)


def meant(values: Values, managed: Values) -> Values:
    """Of what was sent, what was meant: as declared."""
    return {path: value for path, value in values.items() if path in managed and managed[path] == value}
