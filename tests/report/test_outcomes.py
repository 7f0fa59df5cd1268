"""Results as they are read."""

from reconciler.report.outcomes import (
    alike_results,
    deleted,
    deleted_text,
    report_title,
    result_fields,
    result_notes,
    unreviewed_text,
)
from reconciler.results import Result, SettlingResult
from tests.report.everything import EARLIER, a_report, field, idle_report

REPORT = a_report()


def test_the_worst_stands_first() -> None:
    """What failed, what may have happened, what moved, what wasn't done; deletes before others, then by name."""
    assert [(one.first.outcome, one.first.name) for one in alike_results(REPORT)] == [
        ("failed", "busy"),
        ("unknown", "stray"),
        ("stale", "orders"),
        ("skipped", "gone"),
        ("left", "loose"),
        ("applied", "worn"),
        ("applied", "again"),
        ("applied", "new"),
    ]


def test_a_title_claims_no_apply_where_nothing_was_sent() -> None:
    """`wait` sends nothing: its report counts what it waited for."""
    assert report_title([REPORT], "x") == "apply of x: 1 failed, 1 unknown, 1 stale, 1 skipped, 1 left, 3 applied"
    settling = (SettlingResult(name="a", outcome="settled"), SettlingResult(name="b", outcome="failed"))
    waited = idle_report().model_copy(update={"settling": settling})
    assert report_title([waited], "x") == "x: 1 didn't settle, 1 settled"
    assert report_title([idle_report()], "x") == "x: nothing to do"
    both = [report.model_copy(update={"taken_over": ("a", "b")}) for report in (REPORT, idle_report())]
    assert report_title(both[:1], "x").endswith("1 left, 3 applied, 2 taken over")
    assert report_title(both[1:], "x") == "x: 2 taken over"


def test_only_what_needs_no_look_is_told_as_one() -> None:
    """Equal applied changes are; failures and deletes never."""

    def groups(**more: object) -> int:
        results = [
            Result(action="update", name=name, outcome="applied", fields=(field("n", 1, 2),)).model_copy(update=more)
            for name in "ab"
        ]
        return len(alike_results(REPORT.model_copy(update={"results": tuple(results)})))

    assert groups() == groups(outcome="skipped") == 1
    assert groups(outcome="failed") == groups(action="delete") == 2


def test_what_is_gone_is_found_whatever_became_of_it() -> None:
    """Also where no answer came; not what was never sent."""
    assert [result.name for _, result in deleted([REPORT], "applied")] == ["worn"]
    assert [result.name for _, result in deleted([REPORT], "unknown")] == ["stray"]
    assert deleted_text([REPORT]) == "1 cluster deleted, 1 perhaps"
    assert deleted_text([idle_report()]) == ""


def test_what_nobody_reviewed_is_counted() -> None:
    """Of what was applied: the rest was left, or is told by itself."""
    assert unreviewed_text([REPORT, REPORT]) == "2 applied changes were not reviewed"
    assert unreviewed_text([idle_report()]) == ""


def test_a_result_says_why_it_was_done_and_whether_anybody_had_seen_it() -> None:
    """Cause, risks, review and where it was left, a line each."""
    busy = next(result for result in REPORT.results if result.name == "busy")
    assert list(result_notes(busy.model_copy(update={"reviewed": False}))) == [
        "cause: this change",
        "risk: node-replacement (all its nodes are replaced)",
        "not reviewed: no plan that was reviewed shows it",
        "last seen Updating",
    ]
    pending = field("n", 1, 2, "pending", commit=EARLIER)
    assert [str(f) for f in result_fields(busy.model_copy(update={"fields": (*busy.fields, pending)}))] == [
        "node_instance_type: m6g.large → r6g.huge",
        "shard_count: 9 → 4  (declared 4, changed by hand to 9)",
        "n: 1 → 2  (merged before in 159aa65914)",
    ]
