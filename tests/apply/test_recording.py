"""The record before a run and after it: nothing that owned is lost, and a second run changes nothing."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from reconciler.apply.job import Finished, Job
from reconciler.apply.recording import after, ahead
from reconciler.errors import HttpError, NoAnswer
from reconciler.model.cluster import LiveCluster
from reconciler.model.fleet import Head
from reconciler.model.guards import Limits
from reconciler.model.record import Line, Record
from reconciler.plan.intent import Intent
from tests.apply.fakes import BUSY, EVERYTHING, WRONG, World, declared, head_of, job_of, line, live

NOW = 9.0
PRUNED = Intent(prune="owned", allow=EVERYTHING)


def record_of(*lines: Line) -> Record:
    return Record("default", "https://h", "K", lines={one.name: one for one in lines})


def recorded(
    job: Job, record: Record, world: World | None = None, astray: Sequence[str] = (), **options: object
) -> tuple[Record, Record, Finished]:
    written = ahead(record, job.plan, job.head, job.listing.clusters, now=NOW)
    (finished,) = (world or World()).apply(job, **options)
    return written, after(record, written, finished, job.plan, job.head, now=NOW, astray=astray), finished


def test_a_create_is_written_ahead_and_settled_at_the_end() -> None:
    """What is about to be sent; then what was seen."""
    one = declared("a", lifecycle={"prevent_destroy": True})
    written, final, _ = recorded(job_of(head_of(one), [], []), record_of())
    sent = Line("a", "c1", NOW, "manifests/a.yaml", 1, "created", one.lifecycle, unsettled=one.managed)
    assert written.lines == {"a": sent}
    assert final.lines == {"a": sent._replace(declared=one.managed, unsettled=None)}
    assert final.revision == "c1"


def test_what_was_seen_settled_is_the_later_write() -> None:
    """Another run may have written the line meanwhile; it has seen less."""
    one = declared("a")
    job = job_of(head_of(one), [], [])
    written = ahead(record_of(), job.plan, job.head, [], now=NOW)
    (finished,) = World().apply(job)
    assert after(record_of(), written, finished, job.plan, job.head, now=NOW + 20).lines["a"].at == NOW + 20
    world = World()
    world.service().hook = lambda _method, _name: NoAnswer("PUT: silence", may_have_reached=True)
    (doubtful,) = world.apply(job)
    assert after(record_of(), written, doubtful, job.plan, job.head, now=NOW + 20).lines["a"].at == NOW + 20


def test_an_update_keeps_what_was_settled_until_it_settles() -> None:
    """A killed run leaves both, and the line owns."""
    one, was = declared("a", shard_count=3), line("a")
    written, final, _ = recorded(job_of(head_of(one), [live("a")], [was]), record_of(was))
    assert (written.lines["a"].declared, written.lines["a"].unsettled) == (was.declared, one.managed)
    assert written.lines["a"].owns(live("a"))
    assert (final.lines["a"].declared, final.lines["a"].unsettled) == (one.managed, None)


def test_what_a_killed_run_sent_counts_as_settled_once_it_is_live() -> None:
    """Else a second run that is killed would leave no trace of it; what is still in transition may never be `Active`."""
    two, three, nine = ({**line("a").sent, "shard_count": count} for count in (2, 3, 9))
    sent = line("a", declared=two, unsettled=three, superseded=(nine,))
    one = declared("a", shard_count=4)
    for listed, shards, superseded in (
        (live("a", shard_count=3), 3, ()),
        (live("a", shard_count=3, status="Updating"), 2, (nine, three)),
        (live("a", shard_count=3, errors=["X"]), 2, (nine, three)),
        (live("a", shard_count=2), 2, (nine, three)),
    ):
        written, _, _ = recorded(job_of(head_of(one), [listed], [sent]), record_of(sent), timeout_seconds=5.0)
        assert (written.lines["a"].unsettled, written.lines["a"].superseded) == (one.managed, superseded)
        assert (written.lines["a"].declared or {})["shard_count"] == shards


def test_what_was_left_stays_declared_as_long_as_head_manages_it() -> None:
    """A killed run that left what drifted: caught up, the record still says what it drifted from."""
    was = line("a", declared("a", description="x"), unsettled={**line("a").sent, "shard_count": 3})
    listed = live("a", description="y", shard_count=3)
    for managed, kept in (({"description": "x"}, "x"), ({}, None)):
        one = declared("a", shard_count=4, lifecycle={"on_drift": "report"}, **managed)
        job = job_of(head_of(one), [listed], [was])
        told = ahead(record_of(was), job.plan, job.head, [listed], now=NOW).lines["a"]
        assert (told.declared or {}).get("description") == kept


def test_what_is_sent_anew_supersedes_what_was_under_way_and_all_of_it_stays_ours() -> None:
    """Killed at any moment, the cluster is one of three; once the last has settled, nothing but that counts."""
    first = line("a", declared=None, unsettled=line("a").sent)
    one, going = declared("a", shard_count=4), live("a", status="Creating")
    written, final, _ = recorded(job_of(head_of(one), [going], [first]), record_of(first), timeout_seconds=5.0)
    assert (written.lines["a"].declared, written.lines["a"].superseded) == (None, (first.unsettled,))
    assert all(written.lines["a"].owns(live("a", shard_count=count)) == (count in {2, 4}) for count in range(1, 6))
    assert final.lines["a"] == first  # it waited in vain, and was never sent
    again = job_of(head_of(one), [live("a")], [written.lines["a"]])
    assert [change.cause for change in again.plan.changes] == ["revision"]
    _, settled, _ = recorded(again, written)
    assert settled.lines["a"] == written.lines["a"]._replace(declared=one.managed, unsettled=None, superseded=())


def test_a_create_supersedes_what_may_only_be_missing_from_the_list() -> None:
    """A list that leaves out a cluster for a while: killed before its create, it would be somebody else's."""
    was, one = line("a"), declared("a", shard_count=4)
    written, _, _ = recorded(job_of(head_of(one), [], [was]), record_of(was))
    assert (written.lines["a"].declared, written.lines["a"].superseded) == (None, (was.declared,))
    assert written.lines["a"].owns(live("a"))
    released = was._replace(released=True)
    written, _, _ = recorded(job_of(head_of(one), [], [released]), record_of(released))
    assert written.lines["a"].superseded == ()


def test_what_a_create_was_answered_with_is_kept_though_nobody_saw_it_settle() -> None:
    """On a service that rewrites a field it would else be somebody else's: the next apply would be refused."""
    one = declared("a", description="orders ")
    world = World()
    service = world.service(settle=60.0)
    service.show = lambda c: c._replace(values={**c.values, "description": "orders"})
    _, final, _ = recorded(job_of(head_of(one), [], []), record_of(), world, timeout_seconds=5.0)
    found = final.lines["a"]
    assert (found.declared, found.unsettled, found.kept) == (None, one.managed, {"description": "orders"})
    again = job_of(head_of(one), [live("a", status="Creating", description="orders")], [found])
    assert (again.plan.changes, [kept.path for kept in again.plan.kept]) == ((), ["description"])
    hidden = World()  # what stood there, and the list left out, was not made: its answer may be as it was before
    service = hidden.service(clusters=[live("a", shard_count=7)], settle=60.0)
    service.show = lambda c: c._replace(values={**c.values, "description": "orders"})
    assert recorded(job_of(head_of(one), [], []), record_of(), hidden, timeout_seconds=5.0)[1].lines["a"].kept is None


def test_what_was_made_and_seen_active_is_ours_though_another_value_has_come_into_it() -> None:
    """A service that changed its mind, or a hand, once the list had shown it as sent: it is no adoption.

    Nor is the other value what the service keeps: it wasn't so from the first list on.
    """
    one = declared("a", description="orders")
    world = World()
    service = world.service(settle=30.0)

    def changed(cluster: LiveCluster) -> LiveCluster:
        return (
            cluster if cluster.status == "Creating" else cluster._replace(values={**cluster.values, "shard_count": 3})
        )

    service.show = changed
    _, final, finished = recorded(job_of(head_of(one), [], []), record_of(), world, timeout_seconds=600.0)
    found, (result,) = final.lines["a"], finished.report.results
    assert result.error is not None
    assert result.error.kind == "not-as-sent"
    stands = {path: value for path, value in one.managed.items() if path != "shard_count"}
    assert (found.declared, found.unsettled, found.kept) == (stands, one.managed, None)
    again = job_of(head_of(one), [live("a", description="orders", shard_count=3)], [found])
    assert ([change.cause for change in again.plan.changes], again.plan.kept) == (["revision"], ())


def test_what_a_list_shows_as_before_is_kept_only_after_a_whole_minute() -> None:
    """A list that lags looks the same: a short timeout is told, and not recorded as what the service keeps."""
    one, was = declared("a", shard_count=3), line("a")
    for timeout, kept in ((20.0, None), (400.0, {"shard_count": 2})):
        world = World()
        service = world.service(clusters=[live("a")], settle=0.0)
        service.show = lambda c: c._replace(values={**c.values, "shard_count": 2})
        _, final, finished = recorded(
            job_of(head_of(one), [live("a")], [was]), record_of(was), world, timeout_seconds=timeout
        )
        (result,) = finished.report.results
        assert result.error is not None
        assert (result.error.kind, final.lines["a"].kept) == ("not-as-sent", kept)


def test_a_delete_that_was_announced_and_never_sent_leaves_the_cluster_ours() -> None:
    """Killed in between, what was still being created, or changed, would else be nobody's: never deleted, an adoption."""
    created = line("a", declared=None, unsettled=line("a").sent)
    changed = line("a", unsettled={**line("a").sent, "shard_count": 3})
    placed = {
        "shard_placements[1].availability_zone": "us-east-1a",
        "shard_placements[1].replica_availability_zones": (),
    }
    shrunk = line("a", declared={**line("a").sent, **placed}, unsettled={**line("a").sent, "shard_count": 1})
    zones = [
        {
            "shard_index": 1,
            "availability_zone": "us-east-1a",
            "replica_availability_zones": ["us-east-1b", "us-east-1c"][:n],
        }
        for n in (1, 2)
    ]
    three = declared("a", replication_factor=2, shard_placements=zones[1:])
    cut = line("a", three, unsettled=line("a").sent)
    for was, found in (
        (shrunk, live("a", shard_count=1)),
        (shrunk, live("a", status="Updating", shard_count=1)),
        (cut, live("a", shard_placements=zones[:1])),
        (created, live("a", status="Creating")),
        (created, live("a", status="CreationFailed", errors=["x"])),
        (changed, live("a", status="Updating", shard_count=3)),
    ):
        job = job_of(head_of(), [found], [was], intent=PRUNED)
        told = ahead(record_of(was), job.plan, job.head, [found], now=NOW).lines["a"]
        assert told.unsettled == "deleted"
        assert told.owns(found)
        assert not told.settled


def test_what_the_service_keeps_is_the_last_that_settled_where_the_field_is_sent_anew() -> None:
    """Else a run that is killed before it sends would leave a value that reads as if somebody had set it by hand."""
    was = line("a")._replace(
        declared={**line("a").sent, "shard_count": 3}, kept={"shard_count": 2, "description": None}
    )
    one = declared("a", shard_count=1, description="new")
    written, _, _ = recorded(job_of(head_of(one), [live("a", shard_count=2)], [was]), record_of(was))
    found = written.lines["a"]
    assert (found.declared, found.unsettled, found.kept) == (
        {**line("a").sent, "shard_count": 2},
        one.managed,
        None,
    )


def test_what_is_seen_as_sent_is_kept_no_more_where_it_is_sent_anew() -> None:
    """A list that lagged for long, or a service that was mended: a run that is killed would call what is live drift."""
    was = line("a", declared("a", shard_count=3, description="x "), kept={"shard_count": 2, "description": "x"})
    one = declared("a", shard_count=4, description="x ")
    listed = live("a", shard_count=3, description="x")
    written, _, _ = recorded(job_of(head_of(one), [listed], [was]), record_of(was))
    assert written.lines["a"] == was._replace(commit="c1", at=NOW, unsettled=one.managed, kept={"description": "x"})


def test_a_refusal_restores_the_line_and_doubt_leaves_it_unsettled() -> None:
    """Also where there was none."""
    was, one = line("a"), declared("a", shard_count=3)
    lost = NoAnswer("PUT: silence", may_have_reached=True)
    answers: list[tuple[HttpError, bool]] = [(WRONG, True), (BUSY, True), (lost, False)]
    for answer, restored in answers:
        world = World()
        world.service(clusters=[live("a")]).hook = lambda _method, _name, answer=answer: answer  # type: ignore[misc]
        written, final, _ = recorded(
            job_of(head_of(one), [live("a")], [was]), record_of(was), world, timeout_seconds=90.0
        )
        assert final.lines["a"] == (was if restored else written.lines["a"])
    world = World()
    world.service().hook = lambda _method, _name: WRONG
    assert recorded(job_of(head_of(one), [], []), record_of(), world)[1].lines == {}


def test_a_delete_that_is_done_takes_the_line_out() -> None:
    """One that is skipped leaves it as it was."""
    was = line("old")
    written, final, _ = recorded(job_of(head_of(), [live("old")], [was], prune=True), record_of(was))
    assert written.lines["old"] == was._replace(commit="c1", at=NOW, unsettled="deleted")
    assert final.lines == {}
    _, kept, _ = recorded(job_of(head_of(), [live("old")], [was], prune=True), record_of(was), all_read=False)
    assert kept.lines == {"old": was}


def test_what_a_service_keeps_is_recorded_as_settled_save_that() -> None:
    """So that the next plan tells what it keeps, and not drift."""
    one = declared("a", description="orders ")
    world = World()
    service = world.service(settle=0.0)
    service.show = lambda c: c._replace(values={**c.values, "description": "orders"})
    _, final, _ = recorded(job_of(head_of(one), [], []), record_of(), world)
    assert (final.lines["a"].declared, final.lines["a"].kept) == (one.managed, {"description": "orders"})
    clusters = [live("a", description="orders")]
    again = job_of(head_of(one), clusters, [final.lines["a"]])
    assert (again.plan.changes, [kept.path for kept in again.plan.kept]) == ((), ["description"])
    assert recorded(again, final, None)[1] == final


def test_declared_clusters_that_stand_get_their_line() -> None:
    """Taken over where there was none; as it was where it says so already, unless its commit is astray."""
    head, clusters = head_of(declared("a")), [live("a")]
    _, taken, _ = recorded(job_of(head, clusters, []), record_of())
    assert (taken.lines["a"].origin, taken.lines["a"].declared) == ("adopted", declared("a").managed)
    was = line("a")
    assert recorded(job_of(head, clusters, [was]), record_of(was))[1].lines == {"a": was}
    strayed = recorded(job_of(head, clusters, [was]), record_of(was), astray=["a"])[1]
    assert strayed.lines == {"a": was._replace(commit="c1", at=NOW)}
    guarded = head_of(declared("a", lifecycle={"prevent_destroy": True}))
    lifecycle = guarded.declarations["a"].lifecycle
    held = recorded(job_of(guarded, clusters, [was]), record_of(was))[1]
    assert held.lines == {"a": was._replace(commit="c1", at=NOW, lifecycle=lifecycle)}
    killed = was._replace(unsettled=was.declared)
    assert recorded(job_of(head, clusters, [killed]), record_of(killed))[1].lines["a"].unsettled is None


def test_what_was_sent_a_moment_ago_may_still_come_though_the_list_is_as_declared() -> None:
    """The list lags: what another run has sent would read as drift when it shows. After a minute it counts no more."""
    one = declared("a")
    seven, eight, nine = ({**one.managed, "shard_count": count} for count in (7, 8, 9))
    was = line("a", superseded=(seven, one.managed, eight), unsettled=nine)
    for age, unsettled, superseded in ((59.0, nine, (seven, eight)), (60.0, None, ())):
        sent = was._replace(at=NOW - age)
        _, final, _ = recorded(job_of(head_of(one), [live("a")], [sent]), record_of(sent))
        found = final.lines["a"]
        assert (found.declared, found.unsettled, found.superseded) == (one.managed, unsettled, superseded)


def test_what_was_let_go_and_is_declared_again_is_taken_over() -> None:
    """It is nobody's until then: what the record had of it says nothing any more."""
    one = declared("a")
    was = line("a", released=True, unsettled={**one.managed, "shard_count": 9}, at=NOW)
    job = job_of(head_of(one), [live("a")], [was])
    assert job.plan.taken_over == ("a",)
    _, final, _ = recorded(job, record_of(was))
    assert final.lines == {"a": line("a", one, commit="c1", at=NOW, origin="adopted")}


def test_what_head_no_longer_declares() -> None:
    """Let go where its manifest said so; out where it is gone."""
    kept = line("kept", declared("kept", lifecycle={"on_remove": "keep"}))
    missing = line("missing")
    gone, a, head, clusters = line("gone"), line("a"), head_of(declared("a")), [live("a"), live("kept")]
    every = (a, gone, kept, missing)
    _, final, _ = recorded(job_of(head, clusters, every), record_of(*every))
    assert final.lines == {"a": a, "kept": kept._replace(commit="c1", at=NOW, released=True)}
    assert recorded(job_of(head, clusters, [*final.lines.values()]), final)[1] == final


def test_what_is_declared_no_more_and_not_pruned_stays_ours() -> None:
    """Only its own manifest lets it go."""
    was = line("old")
    assert recorded(job_of(head_of(), [live("old")], [was]), record_of(was))[1].lines == {"old": was}


def test_what_is_adopted_begins_anew() -> None:
    """Whatever the record had under that name was another's: nothing of it was settled, or is kept.

    What we sent under it may yet come to be, though, and would be ours.
    """
    was = line("a", declared=None, unsettled={**line("a").sent, "shard_count": 9}, kept={"description": "x"})
    one = declared("a", shard_count=3)
    job = job_of(head_of(one), [live("a")], [was])
    assert job.plan.changes[0].cause == "adoption"
    written, _, _ = recorded(job, record_of(was))
    anew = Line("a", "c1", NOW, "manifests/a.yaml", 1, "adopted", unsettled=one.managed, superseded=(was.sent,))
    assert written.lines == {"a": anew}


def test_what_the_service_keeps_stays_known_where_another_field_is_sent() -> None:
    """Else a run that is killed would forget it, and the next plan would send that field again."""
    was = line("a", declared("a", description="x "), kept={"description": "x"})
    one = declared("a", description="x ", shard_count=3)
    written, _, _ = recorded(job_of(head_of(one), [live("a", description="x")], [was]), record_of(was))
    assert written.lines["a"] == was._replace(commit="c1", at=NOW, unsettled=one.managed)


def test_what_the_service_kept_is_forgotten_where_something_else_is_declared() -> None:
    """What it holds by now, or nothing: neither is what it once held in the place of another value."""
    was = line("a", declared("a", description="x "), kept={"description": "x"})
    for one in (declared("a", description="x", shard_count=3), declared("a", shard_count=3)):
        job = job_of(head_of(one), [live("a", description="x")], [was])
        assert [field.path for change in job.plan.changes for field in change.fields] == ["shard_count"]
        written, _, _ = recorded(job, record_of(was))
        assert written.lines["a"].kept is None


def test_a_field_that_was_left_keeps_its_recorded_value() -> None:
    """What was not sent is not recorded."""
    one = declared("a", shard_count=3, replication_factor=2, lifecycle={"on_drift": "report"})
    was = line("a", declared("a", replication_factor=2))
    clusters = [live("a", replication_factor=1)]
    job = job_of(head_of(one), clusters, [was])
    assert {field.path: field.left for field in job.plan.changes[0].fields} == {
        "shard_count": None,
        "replication_factor": "on-drift-report",
    }
    written, final, _ = recorded(job, record_of(was))
    assert written.lines["a"].unsettled == {k: v for k, v in one.managed.items() if k != "replication_factor"}
    assert final.lines["a"].declared == one.managed


def test_a_dirty_tree_is_no_commit_and_limits_go_along() -> None:
    """The record says what was applied, and from which commit if from any."""
    head = head_of(declared("a"))
    job = job_of(head, [], [])
    job = replace(job, plan=job.plan.model_copy(update={"dirty": True}))
    was = record_of()._replace(api_key_env="OLD", limits=Limits().overlaid({"max_deletes": 7}, {}), revision="c0")
    written, final, _ = recorded(job, was)
    assert written.lines["a"].commit is None
    assert (final.revision, final.limits, final.api_key_env) == (None, head.target.limits, head.target.api_key_env)


names = st.sampled_from("abc")
heads: st.SearchStrategy[Head] = st.dictionaries(names, st.integers(1, 3)).map(
    lambda found: head_of(*(declared(name, shard_count=count) for name, count in found.items()), max_failures=9)
)
clusters_of: st.SearchStrategy[list[LiveCluster]] = st.dictionaries(names, st.integers(1, 3)).map(
    lambda found: [live(name, shard_count=count) for name, count in found.items()]
)


@given(heads, clusters_of, st.frozensets(names), st.dictionaries(names, st.sampled_from([WRONG, BUSY, "lost"])))
def test_nothing_that_owned_is_lost_and_a_second_run_changes_nothing(
    head: Head, clusters: list[LiveCluster], known: frozenset[str], answers: dict[str, object]
) -> None:
    """Killed after what was written ahead, or run to its end, with any answers."""
    lines = [line(c.name, declared(c.name, shard_count=2)) for c in clusters if c.name in known]
    record = record_of(*lines)
    job = job_of(head, clusters, lines, intent=PRUNED)
    world = World()
    service = world.service(clusters=clusters)

    def hook(_method: str, name: str) -> HttpError | None:
        answer = answers.get(name)
        if answer == "lost":
            return NoAnswer("silence", may_have_reached=True)
        return answer if isinstance(answer, HttpError) else None

    service.hook = hook
    written, final, finished = recorded(job, record, world, timeout_seconds=600.0)
    assert written.lines.keys() >= record.lines.keys()
    there = set(service.clusters)
    assert {name for name in record.lines if name in there} <= final.lines.keys()
    settled = {ending.name for ending in finished.endings if ending.settled and ending.name in there}
    for name in settled | set(finished.settled):
        assert final.lines[name].owns(service.clusters[name])
    if not answers:
        again = job_of(head, [*service.clusters.values()], [*final.lines.values()], intent=PRUNED)
        assert again.plan.changes == ()
        _, second, _ = recorded(again, final)
        assert second == final
