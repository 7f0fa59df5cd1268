"""What is live, to files: exact, whole, and never in the place of another."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.desired.fleet import read_fleet
from reconciler.desired.yaml import LARGEST_FILE
from reconciler.export.exports import LeftOut, TargetExport
from reconciler.export.manifest_text import modeline
from reconciler.model.cluster import LiveCluster
from reconciler.plan.intent import Intent
from reconciler.plan.plan import Plan
from tests.export.folders import export_to
from tests.export.live_fleets import changed, live_clusters
from tests.fakes import live
from tests.plan.histories import git, plan_of

OPTIONS = st.fixed_dictionaries(
    {
        "adopt": st.sampled_from([(), ("*",), ("o*",)]),
        "placements": st.booleans(),
        "single_file": st.booleans(),
    }
)
FLEETS = st.sampled_from(
    [
        "",
        "targets: {us: {manifests: .}}\n",
        "targets: {us: {}}\ndefaults: {enforce_shard_multi_az: true, shard_count: 2, lifecycle: {adopt: true}}\n",
        "targets: {us: {defaults: {description: ours, node_instance_type: m6g.large, replication_factor: 1}}}\n",
        "targets: {us: {defaults: {lifecycle: {ignore_changes: [description], prevent_destroy: true}}}}\n",
    ]
)


MODELINE = "# yaml-language-server: $schema=../manifest.schema.json\n"


def plan_after(folder: Path, clusters: Sequence[LiveCluster], target: str) -> Plan:
    """The plan of what stands in a folder, where the record is empty."""
    return plan_of(read_fleet(str(folder)).head(target), clusters, git(), Intent())


def fleet_in(folder: Path, fleet_file: str) -> str:
    """Write a fleet file, if there is one; its target."""
    if fleet_file:
        (folder / "fleet.yaml").write_text(fleet_file)
    return "us" if fleet_file else "default"


@pytest.mark.slow
@given(live_clusters(), OPTIONS, FLEETS)
def test_a_plan_of_what_was_exported_only_takes_over(
    clusters: tuple[LiveCluster, ...], options: dict[str, object], fleet_file: str
) -> None:
    """For any live fleet: no change, nothing refused; each cluster is taken over, or was left out with a reason."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        target = fleet_in(folder, fleet_file)
        export = export_to(folder, clusters, target, **options)
        left_out = {one.name for one in export.left_out}
        assert all(one.reason for one in export.left_out)
        if not export.files:
            assert left_out == {cluster.name for cluster in clusters}
            return
        plan = plan_after(folder, clusters, target)
        assert (plan.changes, plan.violations, plan.unhealthy) == ((), (), ())
        assert {*plan.taken_over} == {cluster.name for cluster in clusters} - left_out
        assert export_to(folder, clusters, target, **options).files == ()


@pytest.mark.slow
@given(
    live_clusters().flatmap(lambda before: st.tuples(st.just(before), changed(before))), st.booleans(), st.booleans()
)
def test_a_fleet_that_was_exported_is_brought_up_to_date(
    fleets: tuple[tuple[LiveCluster, ...], tuple[LiveCluster, ...]], placements: bool, single_file: bool
) -> None:
    """What was made, changed and left alone since: one more export, and a plan has nothing to change but what is told."""
    before, after = fleets
    with TemporaryDirectory() as name:
        folder = Path(name)
        export_to(folder, before, placements=placements, single_file=single_file)
        export = export_to(folder, after, placements=placements, update=True)
        if not [*folder.iterdir()]:
            return
        told = {one.name for one in export.left_out} | {problem.cluster for problem in export.not_updated}
        absent = {one.name for one in before} - {one.name for one in after}
        assert {change.name for change in plan_after(folder, after, "default").changes} <= told | absent


def test_a_manifest_is_what_a_person_would_have_written(tmp_path: Path) -> None:
    """The fields in the document's order, quotes only where they are needed, placements and adoption where asked for."""
    placed = [
        {
            "shard_index": 1,
            "availability_zone": "us-east-1b",
            "replica_availability_zones": ["us-east-1c", "us-east-1a"],
        },
        {
            "shard_index": 0,
            "availability_zone": "us-east-1a",
            "replica_availability_zones": ["us-east-1b", "us-east-1c"],
        },
    ]
    orders = live(description="Order service: 2nd", replication_factor=2, shard_placements=placed)
    export_to(tmp_path, [orders], adopt=("ord*",), placements=True)
    assert (tmp_path / "orders.yaml").read_text() == MODELINE + dedent("""\
        name: orders
        description: "Order service: 2nd"
        node_instance_type: m6g.large
        shard_count: 2
        replication_factor: 2
        enforce_shard_multi_az: true
        shard_placements:
          - shard_index: 0
            availability_zone: us-east-1a
            replica_availability_zones: [us-east-1b, us-east-1c]
          - shard_index: 1
            availability_zone: us-east-1b
            replica_availability_zones: [us-east-1a, us-east-1c]
        lifecycle:
          adopt: true
        """)


def test_what_many_have_in_common_stays_in_the_fleet_file(tmp_path: Path) -> None:
    """A value that is the default is left out; an empty description stands against one; a missing one can't."""
    fleet_in(
        tmp_path,
        "targets: {us: {}}\ndefaults:\n  description: ours\n  node_instance_type: m6g.large\n  shard_count: 2\n"
        "  replication_factor: 1\n  enforce_shard_multi_az: true\n",
    )
    export = export_to(tmp_path, [live("a", description="ours"), live("b"), live("c", description=None)], "us")
    assert (
        tmp_path / "us/a.yaml"
    ).read_text() == "# yaml-language-server: $schema=../../manifest.schema.json\nname: a\n"
    assert (tmp_path / "us/b.yaml").read_text().endswith('json\nname: b\ndescription: ""\n')
    reason = f"the default at {tmp_path}/fleet.yaml:3 gives it description, and it has none"
    assert export.left_out == (LeftOut("c", reason),)


def test_adoption_that_the_fleet_file_gives_is_not_written_again(tmp_path: Path) -> None:
    """As with any other default."""
    fleet_in(tmp_path, "targets: {us: {}}\ndefaults: {lifecycle: {adopt: true}}\n")
    export_to(tmp_path, [live()], "us", adopt=("*",))
    assert "lifecycle" not in (tmp_path / "us/orders.yaml").read_text()


def test_one_file_for_all(tmp_path: Path) -> None:
    """A document a cluster, by name; a modeline is of one document."""
    export_to(tmp_path, [live("b"), live("a")], single_file=True)
    text = (tmp_path / "clusters.yaml").read_text()
    assert text.startswith(f"{MODELINE}name: a\n")
    assert text.count(f"\n---\n{MODELINE}name: b\n") == 1


def test_one_file_holds_no_more_than_is_read_of_it(tmp_path: Path) -> None:
    """Else what was exported couldn't be planned: the rest has a file of its own."""
    names = [f"n{number:02}" for number in range(17)]
    export_to(tmp_path, [live(name, description="x" * (LARGEST_FILE // 16)) for name in names], single_file=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clusters-2.yaml", "clusters.yaml"]
    assert list(read_fleet(str(tmp_path)).declarations["default"]) == names


def test_no_file_takes_the_place_of_another(tmp_path: Path) -> None:
    """Not of one that is there, nor of the fleet file's, nor in other capitals; none is hidden or too long."""
    (tmp_path / "Taken.yaml").write_text("# nothing yet\n")
    (tmp_path / "x.yaml").write_text(
        "name: x\nnode_instance_type: a.b\nshard_count: 1\nreplication_factor: 0\nenforce_shard_multi_az: no\n".replace(
            "no\n", "false\n"
        )
    )
    names = ["taken", "fleet", "orders", "ORDERS", "...", "a.yaml", "n" * 255, "n" * 254]
    export = export_to(tmp_path, [live(name) for name in names])
    written = {file.clusters[0]: file.name.removeprefix(f"{tmp_path}/") for file in export.files}
    assert written == {
        "...": "_....yaml",
        "ORDERS": "ORDERS.yaml",
        "a.yaml": "a.yaml.yaml",
        "fleet": "fleet-2.yaml",
        "n" * 254: f"{'n' * 200}.yaml",
        "n" * 255: f"{'n' * 200}-2.yaml",
        "orders": "orders-2.yaml",
        "taken": "taken-2.yaml",
    }
    assert (tmp_path / "Taken.yaml").read_text() == "# nothing yet\n"


@pytest.mark.parametrize(
    ("cluster", "reason"),
    [
        (live(status="Deleting"), "it is being deleted"),
        (live(status="CreationFailed"), "it is CreationFailed and was never Active"),
        (live(status="Creating", errors=["Odd\n"]), "it is Creating (Odd\\n) and was never Active"),
        (live(errors=["Odd"]), "it is Active (Odd): what it shall be is not what is listed"),
        (live("a b"), 'name "a b" is not URL-safe'),
        (
            live(replication_factor=0),
            "replication_factor is 0, and enforce_shard_multi_az needs a replica in another zone",
        ),
        (live(shard_count=0), "shard_count is 0"),
    ],
)
def test_what_no_manifest_should_say_is_left_out_and_told(tmp_path: Path, cluster: LiveCluster, reason: str) -> None:
    """Nobody wants what is listed then, or no manifest may say it."""
    export = export_to(tmp_path, [cluster])
    assert export == TargetExport("default", left_out=(LeftOut(cluster.name, reason),))
    assert not [*tmp_path.iterdir()]


def test_placements_that_no_manifest_may_have_are_left_out_alone(tmp_path: Path) -> None:
    """The cluster is written without them, and that is told."""
    placed = [{"shard_index": 0, "availability_zone": "a", "replica_availability_zones": []}]
    export = export_to(tmp_path, [live(shard_placements=placed)], placements=True)
    assert export.unplaced == (LeftOut("orders", "shard 0 has 0 replica zones, but replication_factor is 1"),)
    assert "shard_placements" not in (tmp_path / "orders.yaml").read_text()


def test_what_is_declared_is_left_out(tmp_path: Path) -> None:
    """However it differs from what is live."""
    export_to(tmp_path, [live()])
    before = (tmp_path / "orders.yaml").read_text()
    export = export_to(tmp_path, [live(shard_count=9), live("new", status="Updating")])
    assert (tmp_path / "orders.yaml").read_text() == before
    assert (export.declared, export.unsettled) == (("orders",), (LeftOut("new", "Updating"),))


def test_only_what_is_asked_for(tmp_path: Path) -> None:
    """`--only` selects."""
    export = export_to(tmp_path, [live("a"), live("b", status="Deleting"), live("c")], only=("c",))
    assert ([file.clusters for file in export.files], export.left_out) == ([("c",)], ())


@pytest.mark.parametrize(
    ("folder", "root", "schema"),
    [
        ("manifests", "manifests", "../manifest.schema.json"),
        ("manifests/us", "manifests", "../../manifest.schema.json"),
        ("/a/m/us/prod", "/a/m", "../../../manifest.schema.json"),
        (".", ".", "manifest.schema.json"),
        ("./us", ".", "../manifest.schema.json"),
    ],
)
def test_the_schema_is_beside_the_folder_of_manifests(folder: str, root: str, schema: str) -> None:
    """Where all that lies in the folder itself is a manifest."""
    assert modeline(folder, root) == f"# yaml-language-server: $schema={schema}\n"
