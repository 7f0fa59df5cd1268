"""What goes wrong on the way, how often, and how people write that down."""

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

from reconciler.clock import parse_duration

Fault: TypeAlias = Literal["500", "503", "429", "hang", "reset-before", "reset-after", "truncate", "broken-record"]

FAULTS: dict[Fault, str] = {
    "500": "Refuse, with no effect.",
    "503": "Refuse, with no effect.",
    "429": "Refuse, with no effect and Retry-After.",
    "hang": "Say nothing until the client gives up, with no effect.",
    "reset-before": "Reset the connection, with no effect.",
    "reset-after": "Reset the connection in place of the answer.",
    "truncate": "Close the connection after half of the answer.",
    "broken-record": "A broken TLS record in place of the answer.",
}
"""Every fault there is, and what happens."""

SETTINGS = {"latency=DURATION": "Wait before every answer.", "seed=NUMBER": "Another order of the same faults."}
"""What can be said beside their rates."""


@dataclass(frozen=True, slots=True)
class Faults:
    """`rates` are shares of all requests, from 0 to 1; `latency` is seconds before every answer."""

    rates: tuple[tuple[Fault, float], ...] = ()
    latency: float = 0.0
    seed: int = 0

    @property
    def need_tls(self) -> bool:
        """Whether one of them can't be had over plain HTTP."""
        return any(fault == "broken-record" for fault, _ in self.rates)

    @classmethod
    def parse(cls, text: str) -> "Faults":
        """`500=0.05,429=0.1,hang=0.01,latency=50ms,seed=7`. Raises ValueError, its text fit to be shown."""
        rates: dict[Fault, float] = {}
        latency, seed = 0.0, 0
        for part in filter(None, (part.strip() for part in text.split(","))):
            name, _, value = part.partition("=")
            fault = next((fault for fault in FAULTS if fault == name), None)
            if name == "latency":
                latency = parse_duration(value)
            elif name == "seed" and value.isdecimal():
                seed = int(value)
            elif fault and _is_rate(value):
                rates[fault] = float(value)
            else:
                known = ", ".join(f"{fault}=RATE" for fault in FAULTS)
                raise ValueError(f"{part!r} is not a fault: give {known}, {' or '.join(SETTINGS)}, rates 0 to 1")
        if math.fsum(rates.values()) > 1:
            raise ValueError("the rates of all faults add up to more than 1")
        return cls(tuple(rates.items()), latency, seed)


def _is_rate(text: str) -> bool:
    try:
        return 0.0 <= float(text) <= 1.0
    except ValueError:
        return False
