"""Two records that were written apart, made one."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.evidence.merge import merge
from reconciler.model.record import Line, Record
from tests.evidence.records import BODY, COMMITS, line, record, records


def counts(one: Line) -> Line:
    """A line, whatever it superseded, and whenever it was written."""
    return one._replace(superseded=(), at=0.0)


def on_one_branch(one: str, other: str) -> bool:
    """The first three commits stand in each other's history; the last is on a branch of its own."""
    if COMMITS[3] in {one, other}:
        return one == other
    return COMMITS.index(one) <= COMMITS.index(other)


@given(st.none() | records(), records(), records())
def test_it_is_the_same_whichever_side_is_ours_and_whoever_merges_again(
    base: Record | None, one: Record, other: Record
) -> None:
    """Commutative and idempotent; what one side alone has changed is taken as it is."""
    merged = merge(base, one, other, on_one_branch)
    assert merged == merge(base, other, one, on_one_branch)
    assert merge(base, one, one, on_one_branch) == one
    assert merge(one, one, other, on_one_branch) == other
    assert merge(one, merged, one, on_one_branch) == merged
    assert list(merged.lines) == sorted(merged.lines)


@given(records(), records(), records())
def test_no_line_is_lost_unless_one_took_it_out_and_the_other_left_it_alone(
    base: Record, one: Record, other: Record
) -> None:
    """And none appears that neither has."""
    merged = merge(base, one, other, on_one_branch)
    for name in {*base.lines, *one.lines, *other.lines}:
        before, mine, theirs = base.lines.get(name), one.lines.get(name), other.lines.get(name)
        found = merged.lines.get(name)
        assert found in [mine, theirs] or (
            found and mine and theirs and counts(found) in [counts(mine), counts(theirs)]
        )
        if name not in merged.lines:
            assert (mine is None and theirs in [before, None]) or (theirs is None and mine in [before, None])


def test_of_two_writes_the_descendants_counts_else_the_later() -> None:
    """However old its write is; where neither contains the other, or there is no commit, time tells."""
    first, second, third, aside = COMMITS
    base = record(line("a", 1, commit=first))

    def of_both(one: str | None, other: str | None) -> int:
        earlier, later = line("a", 2, at=5.0, commit=one), line("a", 3, at=9.0, commit=other)
        found = merge(base, record(earlier), record(later), on_one_branch).lines["a"].declared or {}
        return int(str(found["shard_count"]))

    assert of_both(third, second) == 2
    assert of_both(second, third) == 3
    assert of_both(second, second) == of_both(third, aside) == of_both(aside, third) == of_both(third, None) == 3


def test_what_the_other_sent_is_superseded_and_still_ours() -> None:
    """Both went to the service, and either may be what it comes to: neither must read as drift."""
    base = line("a", 1)
    mine = line("a", 1, at=5.0)._replace(unsettled={**BODY, "shard_count": 2})
    theirs = line("a", 3, at=9.0)._replace(unsettled={**BODY, "shard_count": 4})
    for at, counting, known in ((5.0, theirs, [2, 3, 4]), (10.0, mine, [1, 2, 3, 4])):
        merged = merge(record(base), record(mine._replace(at=at)), record(theirs), on_one_branch).lines["a"]
        assert (merged.declared, merged.unsettled) == (counting.declared, counting.unsettled)
        assert [count for count in range(6) if merged.wrote("shard_count", count)] == known
    newer, older = line("a", 3, at=5.0, commit=COMMITS[1]), line("a", 1, at=9.0, commit=COMMITS[0])
    again = merge(record(base), record(newer), record(older), on_one_branch).lines["a"]
    assert again == newer._replace(
        superseded=(older.sent,), at=older.at
    )  # an old job has put back what was there before


def test_what_one_saw_settle_the_other_does_not_bring_back() -> None:
    """Both began with it under way; who only tells that it still is, and did so earlier, knows no better."""
    base = line("a", 1)._replace(unsettled={**BODY, "shard_count": 2}, superseded=({**BODY, "shard_count": 3},))
    settled = line("a", 2, at=9.0)
    for at, known in ((5.0, [2]), (10.0, [1, 2, 3])):
        merged = merge(record(base), record(settled), record(base._replace(at=at)), on_one_branch).lines["a"]
        assert [count for count in range(6) if merged.wrote("shard_count", count)] == known


def test_who_takes_its_own_line_out_takes_out_no_others() -> None:
    """Two runs tell of one create; the one from the newer commit is refused, and restores what it began with: nothing.

    What the other wrote is in its line by then, and would be lost with it: the cluster would be nobody's.
    """
    refused, made = (line("a", at=at, commit=commit) for at, commit in ((5.0, COMMITS[1]), (6.0, COMMITS[0])))
    both = merge(record(), record(refused), record(made), on_one_branch)
    assert merge(record(refused), record(), both, on_one_branch) == both
    again = merge(record(made), record(made._replace(at=9.0)), both, on_one_branch)
    assert merge(both, record(), again, on_one_branch) == again


def test_what_a_later_record_never_met_owns_only_what_is_live_as_it_says() -> None:
    """It may have been deleted since, and the name be somebody else's: only two that met can tell that it was."""
    old, sent = line("a", 1, at=5.0), line("b", 1, at=5.0)._replace(unsettled={**BODY, "shard_count": 2})
    for later in (record(line("c", at=9.0)), record()):
        merged = merge(None, record(old, sent), later, on_one_branch).lines
        assert merged["a"] == old._replace(declared=None, unsettled=old.declared)
        assert merged["b"] == sent._replace(declared=None, unsettled=sent.sent, superseded=(old.declared or {},))
    for base, other in ((None, record(line("c", at=5.0))), (record(), record(line("c", at=9.0)))):
        assert merge(base, record(old), other, on_one_branch).lines["a"] == old


def test_revision_limits_and_key_are_the_descendants() -> None:
    """They are taken together: a limit belongs to the commit that it was applied from."""
    base = record(revision=COMMITS[0])
    newer = base._replace(revision=COMMITS[2], limits=base.limits.overlaid({"max_deletes": 1}, {}))
    older = record(line("a", at=9.0), revision=COMMITS[1])._replace(api_key_env="MOMENTO_OLD")
    merged = merge(base, older, newer, on_one_branch)
    assert (merged.revision, merged.limits, merged.api_key_env) == (COMMITS[2], newer.limits, "MOMENTO_API_KEY")
    assert [*merged.lines] == ["a"]
    assert merge(base, older, base, on_one_branch) == older
