"""A record as files, and back."""

import json
from collections.abc import Mapping

import pytest
from hypothesis import given

from reconciler.errors import GitError
from reconciler.evidence.format import CLUSTERS_FILE, LARGEST, MOST_VALUES, TARGET_FILE, files_of, record_of
from reconciler.model.record import Record
from tests.evidence.records import COMMITS, PLACED, contents, line, record, records

WHERE = "the record refs/x"
GOOD = files_of(record(line("a"), line("b")))


def read(files: Mapping[str, bytes]) -> Record:
    return record_of(files, WHERE, revision=None, commit="c")


def test_what_is_written_is_exactly_the_contract() -> None:
    """Names, order, one line a cluster, sorted; ASCII alone, whatever a manifest says."""
    odd = line("a", at=1.5, commit=COMMITS[1])
    files = files_of(record(line("b", at=1_800_000_000.0), odd))
    assert files[TARGET_FILE].decode() == (
        '{\n "target": "us-east-1",\n "endpoint": "https://api.cache.example.com",\n "api_key_env": "MOMENTO_API_KEY",\n'
        ' "guards": {\n  "max_deletes": 5,\n  "max_delete_fraction": 0.25,\n  "max_drift_fraction": 0.5,\n'
        '  "max_added_nodes": null,\n  "max_added_cost": null,\n  "protect": []\n },\n "format": 1\n}\n'
    )
    body = '"node_instance_type":"m6g.large","shard_count":2,"replication_factor":1,"enforce_shard_multi_az":true'
    lifecycle = '{"prevent_destroy":false,"on_remove":"delete","on_drift":null,"adopt":false,"ignore_changes":[]}'
    after = f'"origin":"created","lifecycle":{lifecycle},"declared":{{{body}}},"unsettled":null,'
    after += '"kept":null,"released":false}'
    assert files[CLUSTERS_FILE].decode() == (
        f'{{"name":"a","commit":"{COMMITS[1]}","at":1.5,"file":"manifests/a.yaml","line":1,{after}\n'
        f'{{"name":"b","commit":null,"at":1800000000,"file":"manifests/b.yaml","line":1,{after}\n'
    )


@given(records())
def test_what_was_written_is_read(of: Record) -> None:
    """Whatever it holds; and written again it is the same, byte for byte."""
    files = files_of(of)
    assert all(data.isascii() for data in files.values())
    back = record_of(files, WHERE, revision=of.revision, commit="c")
    assert contents(back) == of
    assert files_of(back) == files
    assert all(
        type(value) is type(PLACED.get(path, value)) for one in back.lines.values() for path, value in one.sent.items()
    )


def test_a_newer_format_is_refused_by_name() -> None:
    """Whatever else it holds: nothing of it is guessed at."""
    with pytest.raises(GitError) as caught:
        read({TARGET_FILE: b'{"format": 2, "accounts": []}', CLUSTERS_FILE: b"?"})
    assert caught.value.message == (
        "the record refs/x is of format 2, written by a newer version of the tool; this one reads 1"
    )
    assert caught.value.remedy == "update the tool"


def _with(**changes: object) -> bytes:
    return json.dumps(json.loads(GOOD[CLUSTERS_FILE].splitlines()[0]) | changes).encode()


def _header(**changes: object) -> bytes:
    return json.dumps(json.loads(GOOD[TARGET_FILE]) | changes).encode()


@pytest.mark.parametrize(
    ("file", "damaged", "place", "why"),
    [
        (CLUSTERS_FILE, b"{", "clusters.jsonl:3", "Expecting property name"),
        (CLUSTERS_FILE, b"<<<<<<< ours", "clusters.jsonl:3", "Expecting value"),
        (CLUSTERS_FILE, b"[" * 100_000, "clusters.jsonl:3", "recursion"),
        (CLUSTERS_FILE, b"\xff", "clusters.jsonl:3", "codec can't decode"),
        (CLUSTERS_FILE, b"[]", "clusters.jsonl:3", "its keys aren't name, commit, at"),
        (CLUSTERS_FILE, _with(more=1), "clusters.jsonl:3", "its keys aren't name, commit, at"),
        (CLUSTERS_FILE, _with(), "clusters.jsonl:3", "a is there already"),
        (CLUSTERS_FILE, _with(name=""), "clusters.jsonl:3", "name, file or line"),
        (CLUSTERS_FILE, _with(line=10**4000), "clusters.jsonl:3", "name, file or line"),
        (CLUSTERS_FILE, _with(line=True), "clusters.jsonl:3", "name, file or line"),
        (CLUSTERS_FILE, _with(commit="--all"), "clusters.jsonl:3", "commit is none"),
        (CLUSTERS_FILE, _with(commit=1), "clusters.jsonl:3", "commit is none"),
        (CLUSTERS_FILE, _with(at=float("nan")), "clusters.jsonl:3", "at is not a time"),
        (CLUSTERS_FILE, _with(at=True), "clusters.jsonl:3", "at is not a time"),
        (CLUSTERS_FILE, _with(origin=[]), "clusters.jsonl:3", "origin, lifecycle or released"),
        (CLUSTERS_FILE, _with(lifecycle=[]), "clusters.jsonl:3", "origin, lifecycle or released"),
        (CLUSTERS_FILE, _with(lifecycle={"x": 1}), "clusters.jsonl:3", "unknown values"),
        (CLUSTERS_FILE, _with(declared={"shards": 1}), "clusters.jsonl:3", "there is no field 'shards'"),
        (CLUSTERS_FILE, _with(declared={"shard_count": 1.5}), "clusters.jsonl:3", "no value that a field has"),
        (CLUSTERS_FILE, _with(superseded=None), "clusters.jsonl:3", "superseded is not a list"),
        (CLUSTERS_FILE, _with(superseded=[None]), "clusters.jsonl:3", "superseded is not a list"),
        (CLUSTERS_FILE, _with(unsettled="gone"), "clusters.jsonl:3", "no values"),
        (CLUSTERS_FILE, b"1" * (LARGEST + 1), "clusters.jsonl", "bytes"),
        (CLUSTERS_FILE, b"[" + b"{}," * MOST_VALUES + b"{}]", "clusters.jsonl", "more than 4000000 values"),
        (TARGET_FILE, b"[" + b"[]," * MOST_VALUES + b"[]]", "target.json", "more than 4000000 values"),
        (TARGET_FILE, b"[]", "target.json", "it has no format"),
        (TARGET_FILE, _header(format=True), "target.json", "it has no format"),
        (TARGET_FILE, _header(x=1), "target.json", "its keys aren't"),
        (TARGET_FILE, _header(target=1), "target.json", "no text"),
        (TARGET_FILE, _header(guards={"max": 1}), "target.json", "guards: unknown ones"),
        (TARGET_FILE, _header(guards={"max_deletes": True}), "target.json", "max_deletes is not a limit"),
        (TARGET_FILE, _header(guards={"max_deletes": -1}), "target.json", "max_deletes is not a limit"),
        (TARGET_FILE, _header(guards={"protect": "a"}), "target.json", "protect is not a limit"),
        (TARGET_FILE, _header(prices=[]), "target.json", "prices: no price"),
        (TARGET_FILE, _header(prices={"a": True}), "target.json", "prices: no price"),
        (TARGET_FILE, _header(prices={"a": -1}), "target.json", "prices: no price"),
        (TARGET_FILE, _header(prices={"a": float("nan")}), "target.json", "prices: no price"),
    ],
)  # fmt: skip
def test_what_is_damaged_is_told_with_file_and_line(file: str, damaged: bytes, place: str, why: str) -> None:
    """Never half of it read: an empty record would mean that nothing is ours."""
    data = GOOD[CLUSTERS_FILE] + damaged if file == CLUSTERS_FILE else damaged
    with pytest.raises(GitError) as caught:
        read({**GOOD, file: data})
    assert caught.value.message.startswith(f"the record refs/x is damaged: {place}: ")
    assert why in caught.value.message
    assert caught.value.remedy == (
        "look with `git log -p` of that ref, and go back to the last good commit with `git update-ref`"
    )


def test_a_line_has_one_value_though_many_are_decoded_together() -> None:
    """Two in one line don't make up for one that goes over two."""
    a, b, c = files_of(record(line("a"), line("b"), line("c")))[CLUSTERS_FILE].splitlines()
    half, rest = c.split(b',"origin"')
    for lines in ([a + b"," + b, half, b'"origin"' + rest], [half, b'"origin"' + rest, a + b"," + b]):
        with pytest.raises(GitError, match=r"damaged: clusters\.jsonl:1: "):
            read({**GOOD, CLUSTERS_FILE: b"\n".join(lines)})


def test_what_only_looks_dense_is_read() -> None:
    """A description may be nothing but commas, brackets and quotes: what counts are values."""
    odd = '[{,"\\' * (MOST_VALUES // 3 + 1)
    files = files_of(record(line("a")._replace(declared={"description": odd})))
    assert read(files).lines["a"].declared == {"description": odd}


def test_a_format_of_a_thousand_digits_is_told_short() -> None:
    """What a record says of itself is no page."""
    header = GOOD[TARGET_FILE].replace(b'"format": 1', b'"format": ' + b"1" * 4000)
    with pytest.raises(GitError, match="written by a newer version") as caught:
        read({**GOOD, TARGET_FILE: header})
    assert len(caught.value.message) < 200
