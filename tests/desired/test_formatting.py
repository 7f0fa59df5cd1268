"""Manifests are brought into one order: exact text, and what holds for any of them."""

import re
from collections.abc import Callable
from cProfile import Profile
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.desired.defaults import UNKNOWN_DEFAULTS
from reconciler.desired.formatting import formatted
from reconciler.desired.manifests import parse_manifests
from reconciler.desired.yaml import read_documents
from reconciler.errors import InvalidManifests
from reconciler.model.cluster import FIELDS, Placement
from reconciler.model.declaration import Lifecycle

PLAIN = """\
name: orders
node_instance_type: m6g.large
shard_count: 2
replication_factor: 1
enforce_shard_multi_az: true
"""


def after(text: str) -> str:
    """What becomes of a file; the same again when it is asked twice."""
    new = formatted(dedent(text).encode(), "m.yaml")
    assert formatted(new, "m.yaml") == new
    return new.decode()


def test_comments_and_blank_lines_go_with_their_keys() -> None:
    """Above a key, behind it, and indented below it; what begins and ends the document stays where it is."""
    text = """\
        # yaml-language-server: $schema=../manifest.schema.json
        # Orders, of the shop.

        # three since black friday
        shard_count: 3  # and no more
        # how it is treated
        lifecycle:
          # it is large
          ignore_changes: [description]

          # never
          prevent_destroy: true
          # on_remove: keep
        enforce_shard_multi_az: false
        # what they call it
        name: orders

        # the type
        node_instance_type: m6g.large
        replication_factor: 1
        # the end
        """
    assert after(text) == dedent("""\
        # yaml-language-server: $schema=../manifest.schema.json
        # Orders, of the shop.

        # what they call it
        name: orders

        # the type
        node_instance_type: m6g.large
        # three since black friday
        shard_count: 3  # and no more
        replication_factor: 1
        enforce_shard_multi_az: false
        # how it is treated
        lifecycle:
          # never
          prevent_destroy: true

          # it is large
          ignore_changes: [description]
          # on_remove: keep
        # the end
        """)


def test_placements_keep_their_order_and_sort_their_keys() -> None:
    """The dash stays with the first of them; a comment between them moves above it where it must."""
    text = """\
        shard_placements:
          # of the first shard
          - replica_availability_zones:
              - us-east-1b
            # by number
            shard_index: 1
            availability_zone: "us-
              east-1a"
          -   availability_zone: us-east-1b
              shard_index: 0
              replica_availability_zones: [us-east-1a]
        """
    assert after(PLAIN + dedent(text)) == PLAIN + dedent("""\
        shard_placements:
          # of the first shard
          # by number
          - shard_index: 1
            availability_zone: "us-
              east-1a"
            replica_availability_zones:
              - us-east-1b
          -   shard_index: 0
              availability_zone: us-east-1b
              replica_availability_zones: [us-east-1a]
        """)


def test_a_first_comment_is_the_documents() -> None:
    """Of several documents each has its own; the last line gets an end, such as the others have."""
    two = "# one\r\nshard_count: 1\r\nname: a\r\n---\r\n# two\r\nshard_count: 2\r\nname: b"
    assert after(two) == "# one\r\nname: a\r\nshard_count: 1\r\n---\r\n# two\r\nname: b\r\nshard_count: 2\r\n"


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        "\ufeff" + PLAIN.rstrip("\n"),
        "{shard_count: 1, name: orders}\n",
        "shard_count: 1\n? name\n: orders\n",
        "description: &d orders\nname: *d\n",
        "",
        "# nothing\n",
    ],
)
def test_the_rest_stays_byte_by_byte(text: str) -> None:
    """What is in order, in braces, written with `?`, or would have an alias before its anchor."""
    assert formatted(text.encode(), "m.yaml") == text.encode()


def test_a_byte_order_mark_stays_where_it_is() -> None:
    """At the beginning."""
    assert after("\ufeffshard_count: 1\nname: a\n") == "\ufeffname: a\nshard_count: 1\n"


@pytest.mark.parametrize(
    "text", ["name: [", "name: orders\nshards: 3\n", "shard_count: 1\n", "name: a\nshard_count: 0\n"]
)
def test_what_does_not_load_is_refused(text: str) -> None:
    """With its place; what a fleet file's defaults may give is no reason."""
    with pytest.raises(InvalidManifests) as caught:
        formatted(text.encode(), "m.yaml")
    assert {problem.file for problem in caught.value.problems()} == {"m.yaml"}


def read(text: str) -> int:
    """How often all of a file's YAML is read to format it, by the events that libyaml makes of it."""

    def events(work: Callable[[bytes, str], object]) -> int:
        profile = Profile()
        profile.runcall(work, text.encode(), "m.yaml")
        return sum(one.callcount for one in profile.getstats() if "yaml/events.py" in str(one.code))

    times, rest = divmod(events(formatted), events(lambda data, file: parse_manifests(data, file, UNKNOWN_DEFAULTS)))
    assert rest == 0
    return times


def test_what_is_in_order_is_read_once() -> None:
    """What isn't, once more to find its lines, for keys inside and around each, and once more to see what it says."""
    inside = "lifecycle:\n  on_remove: keep\n  prevent_destroy: true\n"
    around = "".join(reversed(PLAIN.splitlines(keepends=True)))
    assert [read(PLAIN), read(PLAIN + inside), read(around), read(around + inside)] == [1, 3, 3, 4]


NOISE = st.lists(st.sampled_from(["", "# a comment", "  # one below", "    # two below"]), max_size=2)
LINES = {
    "name": st.sampled_from(["name: orders", "name:   'orders' # quoted", 'name: "or\\\n  ders"']),
    "description": st.sampled_from(
        [
            "description: # none\n  text",
            "description: |\n  a\n  # b\n",
            "description: 'a\n\n# b'",
            "description: >+\n  a\n\n",
        ]
    ),
    "node_instance_type": st.just("node_instance_type: m6g.large"),
    "shard_count": st.just("shard_count: 2  # a comment"),
    "replication_factor": st.just("replication_factor: 1"),
    "enforce_shard_multi_az": st.just("enforce_shard_multi_az: true"),
}
PLACED = {
    "shard_index": "shard_index: 0",
    "availability_zone": "availability_zone: a # here",
    "replica_availability_zones": "replica_availability_zones:\n      - b",
}
TREATED = {
    "prevent_destroy": "prevent_destroy: true",
    "on_remove": "on_remove: keep",
    "ignore_changes": "ignore_changes: [\n    description,\n    # inside\n  ]",
}


@st.composite
def documents(draw: st.DrawFn) -> str:
    """One manifest, its keys in any order, with comments and blank lines anywhere."""
    texts = {key: draw(lines) for key, lines in LINES.items()}
    dashed = draw(st.permutations([*PLACED]))
    texts["shard_placements"] = "shard_placements:\n" + "\n".join(
        line
        for number, key in enumerate(dashed)
        for line in (*(draw(NOISE) if number else []), f"{'  - ' if not number else '    '}{PLACED[key]}")
    )
    treated = draw(st.permutations([*TREATED]))
    texts["lifecycle"] = "\n".join(
        ["lifecycle:", *(line for key in treated for line in (*draw(NOISE), f"  {TREATED[key]}"))]
    )
    keys = draw(st.permutations([*texts]))
    return "\n".join([line for key in keys for line in (*draw(NOISE), texts[key])] + draw(NOISE)) + "\n"


@given(st.lists(documents(), min_size=1, max_size=3), st.sampled_from(["\n", "\r\n"]))
def test_any_manifest_means_the_same_and_loses_no_comment(texts: list[str], newline: str) -> None:
    """It is in order, declares what it declared, keeps each of its lines, and stays so."""
    text = "---\n".join(texts).replace("\n", newline)
    new = formatted(text.encode(), "m.yaml")
    assert formatted(new, "m.yaml") == new
    assert [d.value for d in read_documents(new)] == [d.value for d in read_documents(text.encode())]
    assert sorted(words(new.decode())) == sorted(words(text))
    before, now = (parse_manifests(data, "m.yaml", UNKNOWN_DEFAULTS) for data in (text.encode(), new))
    for one, other in zip(before.declarations, now.declarations, strict=True):
        assert (one.values, one.managed, one.lifecycle) == (other.values, other.managed, other.lifecycle)
    if ">+" not in text:  # blank lines at its end are its own, and may not move
        for document in read_documents(new):
            in_order(document.value)


def words(text: str) -> list[str]:
    """Every line that says something, without its indentation and the dash of a list."""
    return [line for line in (re.sub(r"^ *(?:- )?", "", line).rstrip() for line in text.splitlines()) if line]


def in_order(value: Any) -> None:
    assert [*value] == [key for key in ("name", *FIELDS, "lifecycle") if key in value]
    assert [*value["lifecycle"]] == [key for key in Lifecycle.model_fields if key in value["lifecycle"]]
    for placement in value["shard_placements"]:
        assert [*placement] == [*Placement.model_fields]
