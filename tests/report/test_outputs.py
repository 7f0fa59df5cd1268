"""What a workflow's later steps can ask for."""

import pytest

from reconciler.report.outputs import step_outputs
from tests.report.everything import a_plan, a_report, explained


def read(text: str) -> dict[str, str]:
    """As GitHub's runner reads the file: a name, a delimiter, lines up to that delimiter."""
    lines, found = text.splitlines(), {}
    while lines:
        name, delimiter = lines.pop(0).split("<<")
        end = lines.index(delimiter)
        found[name] = "\n".join(lines[:end])
        del lines[: end + 1]
    return found


def test_a_plan_is_counted_over_all_targets() -> None:
    """What would be done, why, what is ill, what is refused; each target's digest a line."""
    assert read(step_outputs([a_plan(), explained()], 2, delimiter="d3l1m")) == {
        "exit_code": "2",
        "digest": f"{a_plan().digest}\n{explained().digest}",
        "create": "5",
        "update": "8",
        "delete": "4",
        "left": "1",
        "unchanged": "8",
        "settling": "1",
        "taken_over": "2",
        "unmanaged": "25",
        "unhealthy": "3",
        "adoption": "1",
        "conflict": "1",
        "drift": "4",
        "pending": "3",
        "revision": "3",
        "violations": "1",
    }


def test_refusals_and_what_has_not_settled_are_counted_wherever_they_are() -> None:
    """In the first target or in the last; of what settled nothing is left to wait for."""
    for plans in ([a_plan(), explained()], [explained(), a_plan()]):
        assert read(step_outputs(plans, 3, delimiter="d"))["violations"] == "1"
    settled = [one for one in a_report().settling if one.outcome == "settled"]
    assert settled
    report = a_report().model_copy(update={"settling": (*settled, *settled)})
    assert read(step_outputs([report], 0, delimiter="d"))["settling"] == "0"


def test_a_report_is_counted_over_all_targets() -> None:
    """What was to be done, why, how it ended, and what still settles."""
    assert read(step_outputs([a_report(), a_report()], 1, delimiter="d3l1m")) == {
        "exit_code": "1",
        "digest": "sha256:0\nsha256:0",
        "create": "4",
        "update": "6",
        "delete": "6",
        "applied": "6",
        "failed": "2",
        "skipped": "2",
        "left": "2",
        "stale": "2",
        "unknown": "2",
        "settling": "2",
        "adoption": "0",
        "conflict": "2",
        "drift": "2",
        "pending": "4",
        "revision": "8",
    }


def test_nothing_planned_is_counted_too() -> None:
    """A step that reads a count finds a number, whatever went wrong."""
    nothing = read(step_outputs([], 1, delimiter="d3l1m"))
    assert nothing.pop("exit_code") == "1"
    assert nothing.pop("digest") == ""
    assert set(nothing.values()) == {"0"}


def test_no_value_ends_early() -> None:
    """The delimiter grows until no value holds it; line breaks of others' making are spelled out."""
    report = a_report().model_copy(update={"digest": "x\ny<<x_\nx__"})
    assert read(step_outputs([report], 0, delimiter="x"))["digest"] == r"x\ny<<x_\nx__"
    assert step_outputs([report], 0, delimiter="x").startswith("exit_code<<x___\n0\nx___\n")


@pytest.mark.parametrize("delimiter", ["", "a\nb", "a\r"])
def test_a_delimiter_is_a_line(delimiter: str) -> None:
    """Anything else would be no delimiter."""
    with pytest.raises(ValueError, match="one line"):
        step_outputs([], 0, delimiter=delimiter)
