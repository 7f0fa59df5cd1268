"""A manifest that stands is brought up to date: values change, and nothing else."""

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from reconciler.model.cluster import LiveCluster
from tests.export.folders import export_to
from tests.fakes import live


def edited(folder: Path, text: str, *clusters: LiveCluster, **options: Any) -> str:
    """A file after an export that brings it up to date; and what it says of those that it couldn't."""
    file = folder / "m.yaml"
    file.write_bytes(dedent(text).encode())
    export = export_to(folder, clusters, update=True, **options)
    assert not [one for one in export.files if one.is_new]
    return file.read_bytes().decode() + "".join(f"{p.place}: {p.cluster}: {p.message}\n" for p in export.not_updated)


def placed(shard: int, zone: str, *replicas: str) -> dict[str, object]:
    return {"shard_index": shard, "availability_zone": zone, "replica_availability_zones": [*replicas]}


MANIFEST = """\
    # Orders: ask the shop team.

    replication_factor: 1   # one is enough
    node_instance_type: "m6g.large"
    name: orders
    shard_count:  2 # since 2024

    enforce_shard_multi_az: true
    # placed by hand
    shard_placements:
    - availability_zone: b  # beside the shop
      shard_index: 0
      replica_availability_zones:
        - c   # spare
    - {shard_index: 1, availability_zone: a, replica_availability_zones: [b]}
    lifecycle: {prevent_destroy: true}  # never
    ---
    name: other
    node_instance_type: m6g.large
    shard_count: 2
    replication_factor: 1
    enforce_shard_multi_az: true
    """


def test_comments_order_and_layout_stay(tmp_path: Path) -> None:
    """Numbers, texts and zones change in their places; a value that is managed by default comes where it belongs."""
    two = [placed(0, "b", "d", "c"), placed(1, "z", "w", "b")]
    changed = live(node_instance_type="r7g.large", shard_count=3, replication_factor=2, shard_placements=two)
    text = edited(tmp_path, MANIFEST, changed, live("other"))
    expected = dedent(MANIFEST).replace("replication_factor: 1 ", "replication_factor: 2 ", 1)
    expected = expected.replace('"m6g.large"', "r7g.large").replace("shard_count:  2", "shard_count:  3")
    expected = expected.replace("    - c   # spare\n", "    - c\n    - d   # spare\n")
    expected = expected.replace(
        "availability_zone: a, replica_availability_zones: [b]",
        "availability_zone: z, replica_availability_zones: [b, w]",
    )
    assert text == expected


PLAIN = """\
    name: orders
    node_instance_type: m6g.large
    shard_count: 2
    replication_factor: 1
    enforce_shard_multi_az: true
    """


def test_zones_that_stay_keep_their_place(tmp_path: Path) -> None:
    """For their order has no meaning; what goes makes room for what comes."""
    text = dedent(PLAIN).replace("factor: 1", "factor: 3") + "shard_placements:\n- {}\n".format(
        "{shard_index: 0, availability_zone: a, replica_availability_zones: [z, gone, b]}"
    )
    for zones, written in (("bmz", "[z, m, b]"), ("bmyz", '[z, m, b, "y"]'), ("z", "[z]")):
        changed = live(replication_factor=len(zones), shard_placements=[placed(0, "a", *zones)])
        assert edited(tmp_path, text, changed) == text.replace("[z, gone, b]", written).replace(
            "factor: 3", f"factor: {len(zones)}"
        )


def test_placements_come_where_they_are_asked_for(tmp_path: Path) -> None:
    """Also where nothing else differs; a manifest that has some keeps to the shards that it names."""
    with_places = live(shard_placements=[placed(0, "a", "b"), placed(1, "b", "a")])
    assert edited(tmp_path, PLAIN, with_places) == dedent(PLAIN)
    whole = edited(tmp_path, PLAIN, with_places, placements=True)
    assert whole.count("shard_index") == 2
    one = whole.partition("  - shard_index: 1")[0]
    assert edited(tmp_path, one, with_places, placements=True) == one


def test_what_libyaml_reads_otherwise_does_no_harm(tmp_path: Path) -> None:
    """Two escapes that are one character, breaks that are none."""
    text = dedent(PLAIN).replace("node_", 'description: "\\ud83d\\ude00" # \u2028 \x85\nnode_')
    changed = live(description="\U0001f600", shard_count=3)
    assert edited(tmp_path, text, changed) == text.replace("shard_count: 2", "shard_count: 3")


def test_a_shard_that_is_placed_no_more_is_taken_out(tmp_path: Path) -> None:
    """With its lines; without any left, the field goes."""
    one = """\
        name: orders
        node_instance_type: m6g.large
        shard_count: 2
        replication_factor: 1
        enforce_shard_multi_az: true
        shard_placements:
          - shard_index: 0
            availability_zone: a
            replica_availability_zones: [b]
          # the other one
          - shard_index: 1
            availability_zone: b
            replica_availability_zones: [a]
        # the end
        """
    kept = edited(tmp_path, one, live(shard_count=1, shard_placements=[placed(0, "a", "b")]))
    assert kept == dedent(one).replace("shard_count: 2", "shard_count: 1").replace(
        "  - shard_index: 1\n    availability_zone: b\n    replica_availability_zones: [a]\n", ""
    )
    assert edited(tmp_path, one, live()) == dedent(one).partition("shard_placements")[0] + "# the end\n"


def test_line_breaks_and_byte_order_mark_stay(tmp_path: Path) -> None:
    """What Windows writes stays so, and what comes new follows it."""
    text = "\ufeffname: orders\r\ndescription: x\r\nnode_instance_type: a.b\r\nshard_count: 1\r\nreplication_factor: 1\r\nenforce_shard_multi_az: true"
    changed = live(description="a\nb", node_instance_type="a.b", shard_placements=[placed(0, "a", "b")], shard_count=1)
    assert edited(tmp_path, text, changed, placements=True) == (
        text.replace("description: x", "description: |-\r\n  a\r\n  b")
        + "\r\nshard_placements:\r\n  - shard_index: 0\r\n    availability_zone: a\r\n    replica_availability_zones: [b]"
    )


def test_what_was_a_default_is_written_where_it_belongs(tmp_path: Path) -> None:
    """In a block and between brackets."""
    (tmp_path / "fleet.yaml").write_text(
        "targets: {default: {manifests: .}}\ndefaults: {shard_count: 2, replication_factor: 1}\n"
    )
    text = """\
        name: a
        node_instance_type: m6g.large # large
        enforce_shard_multi_az: true
        --- # next
        {enforce_shard_multi_az: true, name: b, node_instance_type: m6g.large}
        """
    assert edited(
        tmp_path, text, live("a", shard_count=9, replication_factor=8), live("b", replication_factor=2)
    ) == dedent("""\
        name: a
        node_instance_type: m6g.large # large
        shard_count: 9
        replication_factor: 8
        enforce_shard_multi_az: true
        --- # next
        {enforce_shard_multi_az: true, name: b, node_instance_type: m6g.large, replication_factor: 2}
        """)


def test_each_document_is_a_piece_of_its_own(tmp_path: Path) -> None:
    """Whatever stands between them: directives, ends, empty ones; an anchor's name may be another's there."""
    one, two = (dedent(PLAIN).replace("orders", name).replace("name:", "name: &n") for name in "ab")
    text = f"# first\n---\n{one}...\n# between\n%YAML 1.2\n---\n---\n# none\n---\n{two}# last\n"
    assert edited(tmp_path, text, live("a", shard_count=3), live("b", shard_count=4)) == (
        text.replace("shard_count: 2", "shard_count: 3", 1).replace("shard_count: 2", "shard_count: 4")
    )


def test_what_is_ignored_or_not_managed_stays(tmp_path: Path) -> None:
    """A description that is left out, a size that is ignored: neither makes a difference."""
    text = "name: orders\nnode_instance_type: m6g.large\nshard_count: 2\nreplication_factor: 1\nenforce_shard_multi_az: true\nlifecycle: {ignore_changes: [shard_count]}\n"
    assert edited(tmp_path, text, live(description="x", shard_count=7)) == text


@pytest.mark.parametrize(
    ("text", "cluster", "why"),
    [
        (
            "name: orders\nnode_instance_type: m6g.large\nshard_count: &n 2\nreplication_factor: *n\nenforce_shard_multi_az: true\n",
            live(shard_count=3),
            "shard_count stands behind an anchor or an alias",
        ),
        (
            "{name: orders, description: x, node_instance_type: m6g.large, shard_count: 2, replication_factor: 1, enforce_shard_multi_az: true}\n",
            live(description=None),
            "description is to be removed, and is between brackets",
        ),
        (
            "name: orders\nnode_instance_type: m6g.large\nshard_count: &n 2\nreplication_factor: *n\nenforce_shard_multi_az: true\n",
            live(replication_factor=1),
            "replication_factor stands behind an anchor or an alias",
        ),
        (
            "? name\n: orders\n? description\n: x\nnode_instance_type: m6g.large\nshard_count: 2\nreplication_factor: 1\nenforce_shard_multi_az: true\n",
            live(description=None),
            "a value to be removed is in the middle of a line",
        ),
        (
            (
                f"{dedent(PLAIN)}shard_placements: [{{shard_index: 0, availability_zone: a, replica_availability_zones: [b]}}, "
                "{shard_index: 1, availability_zone: b, replica_availability_zones: [a]}]\n"
            ),
            live(shard_count=1, shard_placements=[placed(0, "a", "b")]),
            "a shard to be removed is between brackets",
        ),
        (
            (
                f"{dedent(PLAIN)}shard_placements:\n- shard_index: 0\n  availability_zone: &a a\n  replica_availability_zones: [b]\n"
                "- shard_index: 1\n  availability_zone: *a\n  replica_availability_zones: [b]\n"
            ),
            live(shard_placements=[placed(0, "a", "b"), placed(1, "c", "b")]),
            "*a refers to no anchor that is complete before it",
        ),
        (
            "name: orders\nnode_instance_type: m6g.large\nshard_count: 2\nreplication_factor: 1\nenforce_shard_multi_az: true\n",
            live(replication_factor=0),
            "replication_factor is 0, and enforce_shard_multi_az needs a replica in another zone",
        ),
    ],
)
def test_what_cannot_be_done_in_place_is_told(tmp_path: Path, text: str, cluster: LiveCluster, why: str) -> None:
    """And the file stays as it was."""
    told = f"{tmp_path}/m.yaml:1: orders: its manifest can't be brought up to date: {why}\n"
    assert edited(tmp_path, text, cluster) == text + told
