"""What was applied, cluster by cluster: the record as text, Markdown and JSON."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal, TypeAlias

from reconciler.model.record import Line, Record
from reconciler.model.text import printable
from reconciler.report.inline import code
from reconciler.report.json_text import json_text
from reconciler.report.values import counted, name_text

RecordFormat: TypeAlias = Literal["text", "json", "markdown"]

_LONGEST_PATH = 1000


def render_records(records: Sequence[Record], format_name: RecordFormat) -> str:
    """All records; ends in a line break."""
    if format_name == "json":
        return json_text({"kind": "record", "format_version": 1, "records": [_as_json(record) for record in records]})
    if not records:
        return "no record here: nothing was applied from this clone, or it was not fetched yet\n"
    lines = _markdown if format_name == "markdown" else _text
    return "\n".join("".join(f"{line}\n" for line in lines(record)) for record in records)


def _text(record: Record) -> Iterator[str]:
    last = f", last applied {record.revision[:10]}" if record.revision else ""
    yield f"{printable(record.target)} ({printable(record.endpoint)}): {counted(len(record.lines), 'cluster')}{last}"
    for line in record.lines.values():
        yield f"  {name_text(line.name)}  {_place(line)}{''.join(f'  {note}' for note in _notes(line))}"


def _markdown(record: Record) -> Iterator[str]:
    yield f"### {code(record.target)}: {counted(len(record.lines), 'cluster')}"
    yield ""
    for line in record.lines.values():
        yield f"- {code(line.name)} {code(_place(line))}{''.join(f' · {note}' for note in _notes(line))}"


def _place(line: Line) -> str:
    return f"{printable(line.file, _LONGEST_PATH)}:{line.line}" + (
        f" of {line.commit[:10]}" if line.commit else " of a dirty tree"
    )


def _notes(line: Line) -> Iterator[str]:
    if line.origin == "adopted":
        yield "adopted"
    if line.released:
        yield "released"
    if line.unsettled == "deleted":
        yield "deleted, not seen gone"
    elif line.unsettled is not None:
        yield "sent, not seen settled"
    if line.kept:
        yield f"the service keeps {', '.join(line.kept)}"


def _as_json(record: Record) -> dict[str, Any]:
    return {
        "target": record.target,
        "endpoint": record.endpoint,
        "api_key_env": record.api_key_env,
        "commit": record.commit,
        "revision": record.revision,
        "clusters": [_line(line) for line in record.lines.values()],
    }


def _line(line: Line) -> dict[str, Any]:
    """As the record itself has it."""
    return {
        "name": line.name,
        "commit": line.commit,
        "at": line.at,
        "file": line.file,
        "line": line.line,
        "origin": line.origin,
        "lifecycle": line.lifecycle.model_dump(mode="json"),
        "declared": line.declared,
        "unsettled": line.unsettled,
        "kept": line.kept,
        "released": line.released,
        **({"superseded": line.superseded} if line.superseded else {}),
    }
