"""A record as the two files of its tree, and back: nothing is read that isn't exactly as this program writes it.

`target.json` has the target, `clusters.jsonl` one line a cluster, sorted by name: a line is what a merge looks at, and
what `git log -p` shows.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from io import BytesIO
from itertools import islice
from operator import itemgetter
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from reconciler.errors import GitError
from reconciler.model.cluster import FIELDS, FieldValue, Placement, Values
from reconciler.model.declaration import NO_LIFECYCLE, Lifecycle
from reconciler.model.guards import LIMITED, Limit, Limits, Prices
from reconciler.model.record import Line, Record
from reconciler.model.text import printable

FORMAT: Final = 1
TARGET_FILE: Final = "target.json"
CLUSTERS_FILE: Final = "clusters.jsonl"

LARGEST: Final = 64 << 20
"""Bytes of a file that are read: more than 100,000 clusters have."""

MOST_VALUES: Final = 4_000_000
"""Nor is what has more in it, however short: so many are in the largest file of ordinary lines."""

_HEADER: Final = ("target", "endpoint", "api_key_env", "guards", "format")
_PRICES: Final = "prices"
"""Stands in `target.json` only where a fleet file has some."""
_KEYS: Final = (
    "name",
    "commit",
    "at",
    "file",
    "line",
    "origin",
    "lifecycle",
    "declared",
    "unsettled",
    "kept",
    "released",
)
_SUPERSEDED: Final = "superseded"
"""Stands in a line only where something is."""
_OF_A_LINE: Final = frozenset(_KEYS)
_in_order = itemgetter(*_KEYS)
_NO_LIFECYCLE: Final = NO_LIFECYCLE.model_dump(mode="json")
"""As nearly all lines have it."""
_PLACED: Final = frozenset(Placement.model_fields)
_OF_A_FIELD: Final = frozenset({str, int, bool, list})
_AT_ONCE: Final = 100
"""Lines that are decoded together: each for itself takes half as long again."""
_LINE_START: Final = b'{"name":'
"""Of each line, and of no part of one: no field is called so."""
_TOO_MANY: Final = 10**9
"""No file has as many lines."""
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_JSON_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*+"')
_PATH = re.compile(r"([a-z_]+)(?:\[\d{1,9}\]\.([a-z_]+))?")

_DECODER = json.JSONDecoder()
_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)

Files = Mapping[str, bytes]
_Read = TypeVar("_Read")
_Made = TypeVar("_Made")


def files_of(record: Record) -> Files:
    """The tree's files, by name."""
    limits = {key: record.limits.of(key) for key in LIMITED}
    values = (record.target, record.endpoint, record.api_key_env, limits, FORMAT)
    prices = {_PRICES: {**record.limits.prices}} if record.limits.prices else {}
    header = json.dumps(dict(zip(_HEADER, values, strict=True)) | prices, indent=1, allow_nan=False)
    lines = "".join(f"{line_text(record.lines[name])}\n" for name in sorted(record.lines))
    return {TARGET_FILE: f"{header}\n".encode(), CLUSTERS_FILE: lines.encode()}


def line_text(line: Line) -> str:
    """One line of `clusters.jsonl`, without its end."""
    values = (
        line.name,
        line.commit,
        _seconds(line.at),
        line.file,
        line.line,
        line.origin,
        _lifecycle_json(line.lifecycle),
        line.declared,
        line.unsettled,
        line.kept,
        line.released,
    )
    superseded = {_SUPERSEDED: line.superseded} if line.superseded else {}
    return _ENCODER.encode(dict(zip(_KEYS, values, strict=True)) | superseded)


def record_of(files: Files, where: str, *, revision: str | None, commit: str) -> Record:
    """The record that a tree holds; `where` is what errors call it.

    Raises GitError for what a newer version wrote, and, with file and line, for what isn't as it was written.
    """
    for name, data in files.items():
        if len(data) > LARGEST:
            raise _damaged(where, name, None, f"it has more than {LARGEST} bytes: none are read")
        if _values_in(data) > MOST_VALUES:
            raise _damaged(where, name, None, f"it has more than {MOST_VALUES} values: none are read")
    header = _checked(where, TARGET_FILE, None, _header, files[TARGET_FILE])
    if header["format"] != FORMAT:
        raise GitError(
            f"{where} is of format {printable(str(header['format']), 20)}, written by a newer version of the tool; "
            f"this one reads {FORMAT}",
            remedy="update the tool",
        )
    limits = _checked(where, TARGET_FILE, None, _limits, header["guards"])
    limits = limits.at_prices(_checked(where, TARGET_FILE, None, _prices, header.get(_PRICES, {})))
    target, endpoint, api_key_env = (_checked(where, TARGET_FILE, None, _text, header[key]) for key in _HEADER[:3])
    lines: dict[str, Line] = {}
    for number, decoded in enumerate(_decoded_lines(files[CLUSTERS_FILE]), start=1):
        line = _checked(where, CLUSTERS_FILE, number, _line, decoded)
        if line.name in lines:
            raise _damaged(where, CLUSTERS_FILE, number, f"{line.name} is there already")
        lines[line.name] = line
    return Record(target, endpoint, api_key_env, limits, lines, revision, commit=commit)


def _damaged(where: str, file: str, number: int | None, why: str) -> GitError:
    place = file if number is None else f"{file}:{number}"
    return GitError(
        f"{where} is damaged: {place}: {why}",
        remedy="look with `git log -p` of that ref, and go back to the last good commit with `git update-ref`",
    )


def _checked(where: str, file: str, number: int | None, read: Callable[[_Read], _Made], data: _Read) -> _Made:
    """What a part of the file says. Raises GitError, naming the place, where it says nothing of the kind."""
    try:
        return read(data)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        told = "unknown values" if isinstance(error, ValidationError) else str(error)
        raise _damaged(where, file, number, told) from error


def _values_in(data: bytes) -> int:
    """At least as many as there are; what only looks like some, within texts, is looked at where it matters."""
    found = _separators(data)
    return found if found <= MOST_VALUES else _separators(_JSON_TEXT.sub(b"", data))


def _separators(data: bytes) -> int:
    return sum(map(data.count, (b",", b"[", b"{")))


def _header(data: bytes) -> dict[str, Any]:
    header = json.loads(data)
    if not isinstance(header, dict) or type(header.get("format")) is not int or header["format"] < 1:
        raise ValueError("it has no format")
    if header["format"] == FORMAT and {*header} - {_PRICES} != {*_HEADER}:
        raise ValueError(f"its keys aren't {', '.join(_HEADER)}")
    return header


def _limits(guards: object) -> Limits:
    if not isinstance(guards, dict) or {*guards} - {*LIMITED}:
        raise ValueError("guards: unknown ones")
    return Limits().overlaid({key: _limit(key, value) for key, value in guards.items()}, {})


def _limit(key: str, value: object) -> Limit:
    match LIMITED[key].sort, value:
        case "patterns", list():
            return tuple(_text(pattern) for pattern in value)
        case (("count" | "fraction" | "amount"), None):
            return None
        case (("count" | "fraction" | "amount"), int() | float()) if _is_amount(value):
            return value
        case _:
            raise ValueError(f"guards: {key} is not a limit")


def _prices(prices: object) -> Prices:
    if not isinstance(prices, dict) or not all(map(_is_amount, prices.values())):
        raise ValueError("prices: no price where one belongs")
    return prices


def _is_amount(value: object) -> bool:
    """Whether it is a number that is no less than nothing."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf


def _decoded_lines(data: bytes) -> Iterator[Any]:
    """The value of each line; the line as it is where it stands among some of which one has none.

    As many values as lines, each line with the start of one: so none goes over a line's end, nor do two share a line.
    """
    lines = BytesIO(data)
    while some := [*islice(lines, _AT_ONCE)]:
        try:
            values = json.loads("[" + b",".join(some).decode("ascii") + "]")
        except (ValueError, RecursionError):
            values = some
        whole = len(values) == len(some) and all(line.startswith(_LINE_START) for line in some)
        yield from values if whole else some


def _line(decoded: Any) -> Line:
    data = _value(decoded) if isinstance(decoded, bytes) else decoded
    superseded = data.pop(_SUPERSEDED, ()) if isinstance(data, dict) else ()
    if not isinstance(data, dict) or data.keys() != _OF_A_LINE:
        raise ValueError(f"its keys aren't {', '.join(_KEYS)}")
    name, commit, at, file, line, origin, lifecycle, declared, unsettled, kept, released = _in_order(data)
    if type(name) is not str or not name or type(file) is not str or type(line) is not int or abs(line) >= _TOO_MANY:
        raise ValueError("name, file or line is not one")
    if commit is not None and not (isinstance(commit, str) and _COMMIT.fullmatch(commit)):
        raise ValueError("commit is none")
    if type(at) not in {int, float} or not abs(at) < 1e12:
        raise ValueError("at is not a time")
    if origin not in ("created", "adopted") or type(released) is not bool or type(lifecycle) is not dict:
        raise ValueError("origin, lifecycle or released is unknown")
    return Line(
        name,
        commit,
        float(at),
        file,
        line,
        origin,
        NO_LIFECYCLE if lifecycle == _NO_LIFECYCLE else _lifecycle(tuple(map(_hashable, lifecycle.items()))),
        _values(declared),
        "deleted" if unsettled == "deleted" else _values(unsettled),
        _superseded(superseded) if superseded != () else (),
        _kept(kept),
        released,
    )


def _value(text: bytes) -> Any:
    """That of one line."""
    value, end = _DECODER.raw_decode(text.decode("ascii"))
    if text[end:].strip():
        raise ValueError("it goes on after its end")
    return value


def _hashable(item: tuple[str, Any]) -> tuple[str, object]:
    key, value = item
    return key, tuple(value) if type(value) is list else value


def _values(data: Any) -> Values | None:
    if data is None:
        return None
    if not isinstance(data, dict):
        raise ValueError("no values where some belong")  # noqa: TRY004
    _refuse_unknown(tuple(data))
    kinds = {*map(type, data.values())}
    if not kinds <= _OF_A_FIELD:
        raise ValueError("no value that a field has")
    if list not in kinds:
        return data
    return {path: tuple(map(_text, value)) if type(value) is list else value for path, value in data.items()}


def _superseded(data: Any) -> tuple[Values, ...]:
    if type(data) is not list or not all(type(values) is dict for values in data):
        raise ValueError("superseded is not a list of values")
    return tuple(values for each in data if (values := _values(each)) is not None)


def _kept(data: Any) -> Mapping[str, FieldValue | None] | None:
    """Values of which some were dropped: null is one, here."""
    if not isinstance(data, dict):
        return _values(data)
    _refuse_unknown(tuple(data))
    held = _values({path: value for path, value in data.items() if value is not None}) or {}
    return {path: held.get(path) for path in data}


@lru_cache(maxsize=1024)
def _refuse_unknown(paths: tuple[str, ...]) -> None:
    """Raise ValueError for a path that no cluster has. Fleets have few sets of paths: each is looked at once."""
    for path in paths:
        found = _PATH.fullmatch(path)
        if found is None or found[1] not in FIELDS or (found[2] is not None and found[2] not in _PLACED):
            raise ValueError(f"there is no field {path!r}")


@lru_cache(maxsize=1024)
def _lifecycle(items: tuple[tuple[str, object], ...]) -> Lifecycle:
    return Lifecycle.model_validate(dict(items))


@lru_cache(maxsize=1024)
def _lifecycle_json(lifecycle: Lifecycle) -> Any:
    return lifecycle.model_dump(mode="json")


def _seconds(at: float) -> float:
    return int(at) if float(at).is_integer() else at


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("no text where one belongs")  # noqa: TRY004  # one error for all that isn't as it was written
    return value
