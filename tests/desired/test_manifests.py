"""Manifests to declarations: every promise of the manifest's contract."""

from pathlib import Path
from textwrap import dedent

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.desired.fleet import read_fleet
from reconciler.desired.manifests import parse_manifests
from reconciler.errors import InvalidManifests
from reconciler.model.view import body_of
from reconciler.report.style import Style
from reconciler.report.text import problems_text

GOOD = "node_instance_type: m6g.large\nshard_count: 2\nreplication_factor: 1\nenforce_shard_multi_az: true\n"


def problems_of(text: str | bytes) -> str:
    """The problems of one file, as a person reads them, without the lines themselves."""
    told = shown_problems_of(text).splitlines(keepends=True)
    return "".join(line for line in told if not line.startswith("  |"))


def shown_problems_of(text: str | bytes) -> str:
    """The problems of one file, as a person reads them."""
    data = dedent(text).encode() if isinstance(text, str) else text
    problems = sorted(parse_manifests(data, "m.yaml").problems, key=lambda p: (p.line, p.column, p.message))
    return problems_text(problems, style=Style(color=False))


def test_an_error_shows_its_line_with_a_caret() -> None:
    """What can't be printed is escaped, and the caret stands under what is meant all the same."""
    assert shown_problems_of(f'{GOOD}name: orders\ndescription: "\u202e", shard_count: 1\n') == dedent("""\
        error: m.yaml:6:17: invalid YAML: did not find expected key
          | description: "\\u202e", shard_count: 1
          |                      ^
          → look at the indentation, colons and quotes here and in the line before
        """)


def test_every_error_of_a_file_is_told_at_once_with_place_cause_and_remedy() -> None:
    """One run shows all that is wrong, in all documents, each at its line and column."""
    text = """\
        name: orders
        description: no
        node_instance_typ: m6g.large
        shard_count: "3"
        replication_factor: 1e3
        enforce_shard_multi_az: yes
        shard_count: 4
        shard_placements:
          - shard_index: 0
            availability_zone: 2024-01-01
            replica_availability_zones: us-east-1b
        lifecycle:
          on_remove: kep
        ---
        name: ..
        node_instance_type: 017
        shard_count: 0
        replication_factor: -1
        enforce_shard_multi_az: null
        ---
        [a, b]
        ---
        name: sense
        node_instance_type: m6g.large
        shard_count: 2
        replication_factor: 0
        enforce_shard_multi_az: on
        lifecycle: {ignore_changes: [descripton, name]}
        shard_placements:
          - {shard_index: 2, availability_zone: a, replica_availability_zones: [b]}
          - {shard_index: 2, availability_zone: a, replica_availability_zones: []}
        """
    assert problems_of(text) == dedent("""\
        error: m.yaml:2:14: cluster orders: description is no, which YAML reads as a boolean
          → write "no" in quotes
        error: m.yaml:3:1: cluster orders: unknown key "node_instance_typ"
          → did you mean node_instance_type?
        error: m.yaml:4:14: cluster orders: shard_count is "3", a string, not a whole number
          → write 3 without quotes
        error: m.yaml:5:21: cluster orders: replication_factor is "1e3", a number that isn't written in plain decimals
          → write 1000
        error: m.yaml:7:1: cluster orders: duplicate key "shard_count": first in line 4
          → keep one
        error: m.yaml:10:24: cluster orders: shard_placements[0].availability_zone is "2024-01-01", a date to YAML 1.1, a string to 1.2
          → write "2024-01-01" in quotes
        error: m.yaml:11:33: cluster orders: shard_placements[0].replica_availability_zones is "us-east-1b", a string, not a list
          → write a list
        error: m.yaml:13:14: cluster orders: lifecycle.on_remove is "kep"
          → did you mean keep?
        error: m.yaml:15:7: cluster ..: name ".." is not URL-safe
          → use A-Z a-z 0-9 . _ ~ - and not . or .. alone
        error: m.yaml:16:21: cluster ..: node_instance_type is "017", an octal number to YAML 1.1, a decimal one to 1.2
          → write "017" in quotes
        error: m.yaml:17:14: cluster ..: shard_count is 0
          → it must be at least 1
        error: m.yaml:18:21: cluster ..: replication_factor is -1
          → it must be at least 0
        error: m.yaml:19:25: cluster ..: enforce_shard_multi_az is null
          → give it a value, or leave it out
        error: m.yaml:21:1: the document is a list, not a mapping of keys and values
          → write a mapping of keys and values
        error: m.yaml:26:21: cluster sense: replication_factor is 0, and enforce_shard_multi_az needs a replica in another zone
          → give it at least 1, or set enforce_shard_multi_az to false
        error: m.yaml:28:30: cluster sense: lifecycle.ignore_changes[0] is "descripton"
          → did you mean description?
        error: m.yaml:28:42: cluster sense: lifecycle.ignore_changes[1] is "name"
          → known are description, node_instance_type, shard_count, replication_factor, enforce_shard_multi_az, shard_placements
        error: m.yaml:30:19: cluster sense: shard_index is 2, but shard_count is 2
          → use 0 to 1, or raise shard_count
        error: m.yaml:30:72: cluster sense: shard 2 has 1 replica zones, but replication_factor is 0
          → name one zone for each replica
        error: m.yaml:31:19: cluster sense: shard 2 is placed twice: first as entry 1
          → place each shard once
        error: m.yaml:31:19: cluster sense: shard_index is 2, but shard_count is 2
          → use 0 to 1, or raise shard_count
        """)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"name: x\n  y: [", "m.yaml:2:4: invalid YAML: mapping values are not allowed in this context"),
        (b"name: \xff", "m.yaml:1:7: the file is not UTF-8"),
        (b"\xef\xbb\xbfa: 1\nb: \xff", "m.yaml:2:4: the file is not UTF-8"),
        (b"\xef\xbb\xbf\xff", "m.yaml:1:1: the file is not UTF-8"),
        (b"\xef\xbb", "m.yaml:1:1: the file is not UTF-8"),
        ("a: 1".encode("utf-16"), "m.yaml:1:1: the file is not UTF-8"),
        (
            b"name: a\x1b[2J",
            "m.yaml:1:8: there is a control character, \"'\\\\x1b'\", here".replace('"', "").replace("\\\\", "\\"),
        ),
        (b"name: !!str x", "m.yaml:1:7: explicit tags (tag:yaml.org,2002:str) are not read"),
        (b"name: ! x", "m.yaml:1:7: explicit tags (!) are not read"),
        (b"<<: {a: b}", "m.yaml:1:1: merge keys (<<) are not read"),
        (b"? [a]\n: b", "m.yaml:1:3: a key must be a plain string"),
        (b"*a : b", "m.yaml:1:1: a key must be a plain string"),
        (b"name: *nowhere", "m.yaml:1:7: *nowhere refers to no anchor that is complete before it"),
        (b"name: &a [*a]", "m.yaml:1:11: *a refers to no anchor that is complete before it"),
        (b"[" * 25_000, "m.yaml:1:33: nested deeper than 32 levels"),
        (b"a: [" + b"1," * 10_001 + b"]", "m.yaml:1:20001: more than 10000 nodes in one document"),
        (
            (
                b"a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                b"c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
            ),
            "m.yaml:4:26: more than 10000 nodes in one document",
        ),
        (b"#" * (16 * 1024 * 1024 + 1), "m.yaml:1:1: the file is larger than 16 MiB"),
    ],
)
def test_a_file_that_cant_be_read_says_where_and_why(data: bytes, expected: str) -> None:
    """Syntax, bytes, tags, merges, bombs: one clear line each, at the place where reading stopped."""
    assert expected in problems_of(data).splitlines()[0]


@pytest.mark.parametrize("written", ["0o17", "017", "0x1F", "1e3", "1_000", "12:30", ".inf", "1.0", "3.", "+.5", "'3'"])
def test_no_number_is_guessed(written: str) -> None:
    """What YAML 1.1 and 1.2 read differently, or what is no whole number, is an error where one belongs."""
    text = GOOD.replace("shard_count: 2", f"shard_count: {written}")
    assert "m.yaml:2:14: cluster x: shard_count is" in problems_of(f"{text}name: x\n")


@pytest.mark.parametrize("written", ["no", "Yes", "ON", "true", "3", "0.5", "2024-01-01", "1e3", "0o17", "12:30:45"])
def test_no_text_is_guessed(written: str) -> None:
    """What YAML doesn't read as text must be quoted where text belongs; quoted it is taken as it stands."""
    assert f'write "{written.lower() if written == "true" else written}" in quotes' in problems_of(
        f"{GOOD}name: x\ndescription: {written}\n"
    )
    parsed = parse_manifests(f"{GOOD}name: x\ndescription: '{written}'\n".encode(), "m.yaml")
    assert not parsed.problems
    assert parsed.declarations[0].values["description"] == written


def test_several_documents_with_every_fields_line() -> None:
    """Each document is a cluster; comments, BOM and CRLF change nothing but the lines."""
    placed = 'shard_placements:\n- {shard_index: 1, availability_zone: a,\n   replica_availability_zones: ["b"]}\n'
    text = f"# first\nname: a\n{GOOD}---\n---\nname: b\n{GOOD}{placed}...\n".replace("\n", "\r\n")
    parsed = parse_manifests(b"\xef\xbb\xbf" + text.encode(), "m.yaml")
    assert parsed.problems == ()
    a, b = parsed.declarations
    assert (a.name, a.line, str(a.place_of("shard_count"))) == ("a", 2, "m.yaml:4:14")
    assert (b.name, b.line, str(b.place_of("shard_count"))) == ("b", 9, "m.yaml:11:14")
    assert str(b.place_of("shard_placements[1].availability_zone")) == "m.yaml:15:39"
    assert str(b.place_of("shard_placements[1].replica_availability_zones")) == "m.yaml:16:32"
    assert str(b.place_of("shard_placements[7].availability_zone")) == "m.yaml:15:1"
    assert str(b.place_of("shard_placements[0]")) == "m.yaml:15:1"  # a shard, not the first of the list
    assert str(b.place_of("lifecycle.adopt")) == "m.yaml:9"


def test_anchors_are_values() -> None:
    """An alias stands for its anchor's value."""
    parsed = parse_manifests(f"{GOOD}name: &n a\ndescription: *n\n".encode(), "m.yaml")
    assert parsed.problems == ()
    assert parsed.declarations[0].values["description"] == "a"


zones = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), min_size=1)


@st.composite
def manifests(draw: st.DrawFn) -> dict[str, object]:
    """Any manifest that makes sense."""
    replicas = draw(st.integers(1, 3))
    shards = draw(st.integers(1, 5))
    placed = draw(st.lists(st.integers(0, shards - 1), unique=True))
    placements = [
        {"shard_index": shard, "availability_zone": draw(zones), "replica_availability_zones": [draw(zones)] * replicas}
        for shard in placed
    ]
    return {
        "name": draw(st.from_regex(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,20}", fullmatch=True)),
        "node_instance_type": draw(zones),
        "shard_count": shards,
        "replication_factor": replicas,
        "enforce_shard_multi_az": False,
        **draw(st.fixed_dictionaries({}, optional={"description": zones, "shard_placements": st.just(placements)})),
    }


def _sorted(placements: object) -> list[dict[str, object]]:
    """By shard, with each one's zones in order: the normal form."""
    assert isinstance(placements, list)
    by_shard = sorted(placements, key=lambda placement: placement["shard_index"])
    return [{**p, "replica_availability_zones": sorted(p["replica_availability_zones"])} for p in by_shard]


@given(manifests())
def test_what_another_writer_wrote_is_read_as_it_was_meant(body: dict[str, object]) -> None:
    """Any manifest that PyYAML writes comes back with the same values, save where YAML 1.2 would read a bare text otherwise."""
    for flow in (True, False):
        written = yaml.safe_dump(body, allow_unicode=True, default_flow_style=flow).encode()
        parsed = parse_manifests(written, "m.yaml")
        if parsed.problems:
            assert all(problem.remedy and problem.remedy.endswith("in quotes") for problem in parsed.problems)
            continue
        (declaration,) = parsed.declarations
        meant = {**body, "shard_placements": _sorted(body.get("shard_placements", []))}
        read = {"name": declaration.name, "shard_placements": [], **body_of(declaration.values)}
        assert read == meant


@given(st.one_of(st.binary(), st.text(alphabet="a:- []{}&*!|>'\"\n#%@,?<=~0").map(str.encode)))
def test_no_bytes_break_it(data: bytes) -> None:
    """Whatever a file holds, the answer is problems, each with a place and a remedy: noise is no manifest."""
    parsed = parse_manifests(data, "m.yaml")
    assert not parsed.declarations
    assert all(problem.place is not None and problem.remedy for problem in parsed.problems)


def test_all_files_are_told_together(tmp_path: Path) -> None:
    """Errors of all files come in one run, sorted; a name that is declared twice names both places."""
    (tmp_path / "b").mkdir()
    (tmp_path / "a.yml").write_text(f"name: x\n{GOOD}")
    (tmp_path / "b" / "c.yaml").write_text(f"---\n{GOOD}name: x\n")
    (tmp_path / "z.yaml").write_text("name: [")
    with pytest.raises(InvalidManifests) as caught:
        read_fleet(str(tmp_path))
    told = [(p.file, p.line, p.message) for p in caught.value.problems()]
    assert told == [
        (f"{tmp_path}/b/c.yaml", 6, f"declared twice: first at {tmp_path}/a.yml:1"),
        (f"{tmp_path}/z.yaml", 1, "invalid YAML: did not find expected node content"),
    ]
