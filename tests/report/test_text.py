"""What a terminal shows; whole pages of it stand in `golden/`."""

import re

import pytest

from reconciler.model.cluster import FieldValue
from reconciler.report.look import Look
from reconciler.report.style import Style
from reconciler.report.text import plans_text, problems_text
from reconciler.report.text_report import reports_text
from reconciler.report.values import duration_text, name_text, value_text
from tests.report.everything import (
    a_plan,
    a_report,
    delete,
    document,
    explained,
    field,
    idle_report,
    in_sync,
    left_behind,
    many,
    planned,
    reported,
    the_problems,
    update,
)

PLAIN, COLORED = Look(), Look(color=True)

IN_SYNC = """\
eu-west-1 (sandbox): nothing to do
  3 as declared, nodes 12
  at sandbox:eu-west-1, head 0f9e4c6de0
"""


def test_nothing_to_do_is_said_in_a_few_lines() -> None:
    """Of no target there is nothing to say; a record that is left behind is told even then."""
    assert plans_text(document(in_sync())) == IN_SYNC
    assert plans_text(document(errors=the_problems())) == ""
    assert plans_text(document(left_behind=left_behind())).startswith("  left behind: no target claims 2 clusters of ")
    assert reports_text(reported()) == ""
    assert reports_text(reported(idle_report())) == "a (sandbox): nothing to do\n  at sandbox:a\n"


def test_equal_changes_are_one_line_and_their_clusters() -> None:
    """One field: in that line; so many names that they are no wall, and how to have the others."""

    def shown(count: int) -> list[str]:
        fields = [field("node_instance_type", "m6g.large", "r6g.large", "revision")]
        changes = (update(f"c-{number:03}", *fields, cause="revision") for number in range(count))
        return plans_text(document(planned(*changes))).splitlines()

    assert shown(3)[6:8] == [
        "  ~ node_instance_type: m6g.large → r6g.large on 3 clusters",
        "      c-000, c-001, c-002",
    ]
    assert "  ~ node_instance_type: m6g.large → r6g.large on 500 clusters" in shown(500)
    assert shown(500)[11] == "      and 461 more: --format json has all"
    assert len(shown(500)) == 15


def test_what_destroys_is_named_again_where_it_has_scrolled_away() -> None:
    """At the end of a long page, every name; at the start of each, with all that is known."""
    deletes = [delete(f"c-{number:03}", cause="revision") for number in range(100)]
    lines = plans_text(document(planned(*deletes))).splitlines()
    assert lines[4:6] == ["  100 clusters to delete", "  - delete c-000  removed by this change, data-loss"]
    ending = lines[lines.index("  100 clusters to delete:") :]
    assert ending[1].startswith("    c-000, c-001, c-002, ")
    counts = ending.index("  us-east-1: this change: 100 to delete")
    assert ending[counts : counts + 2] == ["  us-east-1: this change: 100 to delete", "    11 as declared, nodes 48"]
    assert max(map(len, ending[:counts])) <= 80
    assert len(ending) - counts == 4
    refused = plans_text(document(many(400))).splitlines()
    assert refused[-6:-4] == ["  refused, as said above: max-deletes", f"  digest of us-east-1: {many(400).digest}"]
    assert re.findall(r"c-\d+", " ".join(ending)) == [change.name for change in deletes]
    assert "to delete:" not in plans_text(document(planned(*deletes[:3])))


def test_a_problem_tells_where_what_and_what_next() -> None:
    """The place, else the target; the cluster; the remedy on a line of its own."""
    assert problems_text(the_problems(), style=Style(color=False)) == (
        "error: manifests/orders.yaml:4:14: cluster orders: shard_count must be a whole number\n"
        "  → write 3 without quotes\n"
        "error: manifests/new.yaml:2: this is not YAML\n"
        "error: eu-west-1: GET /cluster: no connection\n"
        "error: eu-west-1: cluster broken: it is CreationFailed\n"
        "error: nothing matches\n"
        "  → see reconciler plan --help\n"
    )
    assert problems_text((), style=Style(color=False)) == ""


def test_colour_says_nothing_that_the_text_does_not() -> None:
    """Red destroys or failed, green is made, yellow changes; without its sequences the text is the plain one."""

    def shown(look: Look) -> str:
        return (
            plans_text(document(a_plan(), explained(), left_behind=left_behind()), look)
            + reports_text(reported(a_report()), look)
            + problems_text(the_problems(), style=Style(look.color))
        )

    colored = shown(COLORED)
    assert re.sub(r"\x1b\[\d+m", "", colored) == shown(PLAIN)
    for line in (
        "\x1b[1m2 targets\x1b[0m: \x1b[31mrefused\x1b[0m · this change: 1 to create, 1 to update, 2 to delete\n",
        "  \x1b[33mwarning:\x1b[0m main has moved on",
        "  \x1b[31m- delete\x1b[0m \x1b[1mgone\x1b[0m in us-east-1  \x1b[2mmanifests/gone.yaml:7\x1b[0m  removed in 4ca6a63",
        "  \x1b[32m+\x1b[0m \x1b[1mcreate late\x1b[0m  \x1b[2mmanifests/late.yaml:1\x1b[0m\n",
        "  \x1b[33m~\x1b[0m \x1b[1mupdate orders\x1b[0m  \x1b[2mmanifests/orders.yaml:1\x1b[0m\n",
        "      \x1b[31mrisk:\x1b[0m node-replacement (all its nodes are replaced)\n",
        "  \x1b[31mfailed\x1b[0m  update \x1b[1mbusy\x1b[0m  \x1b[2mmanifests/busy.yaml:1\x1b[0m  \x1b[2m1m\x1b[0m\n",
        "  \x1b[32mapplied\x1b[0m  create \x1b[1mnew\x1b[0m  \x1b[2m0.4s\x1b[0m\n",
        "\x1b[31merror:\x1b[0m nothing matches\n  \x1b[2m→\x1b[0m see reconciler plan --help\n",
    ):
        assert line in colored


def test_no_number_is_no_duration() -> None:
    """A report is read from files, too."""
    assert [duration_text(seconds) for seconds in (0.42, 185, float("nan"), float("inf"), -1)] == [
        "0.4s",
        "3m 5s",
        "an unknown time",
        "an unknown time",
        "an unknown time",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "none"),
        ("none", '"none"'),
        (True, "true"),
        ("True", '"True"'),
        (3, "3"),
        ("3", '"3"'),
        ("m6g.large", "m6g.large"),
        ("Orders, read by checkout (all)", "Orders, read by checkout (all)"),
        ("", '""'),
        (" padded ", '" padded "'),
        ('say "hi"', r'"say \"hi\""'),
        ("a → b", '"a → b"'),
        ("two\nlines", r'"two\nlines"'),
        ((), "[]"),
        (("us-east-1b", "us-east-1c"), "[us-east-1b, us-east-1c]"),
        (("b, c", "2", "]"), '["b, c", "2", "]"]'),
        ("x" * 241, "x" * 239 + "…"),
        ('"' * 241, '"' + r"\"" * 239 + '…"'),
    ],
)
def test_a_value_reads_as_what_it_is(value: FieldValue, text: str) -> None:
    """No text passes for a number, a boolean, nothing, or two values; none runs on for pages."""
    assert value_text(value) == text


def test_a_name_is_bare_where_it_is_a_word() -> None:
    """Whatever a manifest may name a cluster stands bare; what the service lists besides is quoted."""
    assert [name_text(name) for name in ("orders", "...", "A-z_0.9~", "x" * 255)] == [
        "orders",
        "...",
        "A-z_0.9~",
        "x" * 255,
    ]
    assert name_text("orders, and 3 more") == '"orders, and 3 more"'
    assert name_text("") == '""'
    assert name_text("x" * 256) == '"' + "x" * 254 + '…"'
