"""What a terminal shows."""

import re

import pytest

from reconciler.plan.change import FieldValue
from reconciler.report.style import Style
from reconciler.report.text import plans_text, problems_text, reports_text
from reconciler.report.values import name_text, value_text
from reconciler.results import ResultSummary, TargetReport
from tests.report.everything import a_plan, a_report, explained, in_sync, the_problems

PLAIN, COLORED = Style(color=False), Style(color=True)

PLAN = f"""\
us-east-1 (https://api.cache.example.com): 2 to delete, 2 to create, 2 to update, 1 to be deleted by hand first, 4 in sync
  warning: main has moved on: this branch doesn't hold its last 2 commits

  - delete gone  manifests/gone.yaml:7  removed in 4ca6a63
      risk: data-loss

  - delete stray
      risk: data-loss

  + create again  manifests/again.yaml:1
      node_instance_type: m6g.large
      shard_count: 2
      one of this name is being deleted: the create waits until it is gone

  + create new  manifests/new.yaml:1
      node_instance_type: m6g.large
      shard_count: 2

  ~ update busy  manifests/busy.yaml:1
      replication_factor: 1 → 0  :5
      enforce_shard_multi_az: true → false  :6
      shard_placements[0].replica_availability_zones: [us-east-1b, us-east-1c] → []  :9
      the service is still at work on it: the update waits until it is Active
      risk: fewer-replicas, no-failover

  ~ update orders  manifests/orders.yaml:1
      description: "" → "Orders: \\"all\\" of them"  :2
      node_instance_type: m6g.large → r6g.large  :3
      risk: node-replacement

  nodes: 53 → 49 (-4)
  unhealthy: broken is CreationFailed: NoCapacity, Try later
  unhealthy: other-01 is Active
  blocked: broken takes no update: delete it, then apply creates it
  not declared, left alone: other-01, other-02, other-03, other-04, other-05, other-06, other-07, other-08, other-09, \
other-10, other-11, other-12, other-13, other-14, other-15, other-16, other-17, other-18, other-19, other-20 and 2 more
  digest {a_plan().digest}
"""

EXPLAINED = f"""\
us-east-1 (https://api.cache.example.com): 1 to delete, 1 to create, 4 to update, 3 in sync
  base 4ca6a63f0e (before this push to main); applied unknown, so inferred

  deletes

  - delete gone  manifests/gone.yaml:7  removed by this change
      risk: data-loss

  conflicts: would overwrite what nobody reviewed

  ~ update contested  manifests/contested.yaml:1
      shard_count: 5 → 3  :3
      risk: node-replacement

  this change

  ~ update orders  manifests/orders.yaml:1
      node_instance_type: m6g.large → r6g.large  :3
      shard_count: 4 → 2  :4  drift, reverted along with it
      replication_factor: 1 → 2  :5  pending since 159aa65914
      adopts it: live already, declared for the first time
      risk: node-replacement

  merged before, not applied yet

  + create late  manifests/late.yaml:1
      node_instance_type: m6g.large
      shard_count: 2

  ~ update later  manifests/later.yaml:1
      shard_count: 1 → 2  :3  pending since 159aa65914
      risk: node-replacement

  drift: changed behind git's back

  ~ update wandered  manifests/wandered.yaml:1
      shard_count: 9 → 2  :3
      left as it is: on_drift is report
      risk: node-replacement

  nodes: 53 → 49 (-4)
  not declared, left alone: old (owned, removed in 159aa65914: --prune deletes it), theirs (never-declared)
  refused by max-deletes: 1 cluster would be deleted, and 0 are the most
  digest {explained().digest}
"""

IN_SYNC = """\
eu-west-1 (sandbox:eu-west-1): in sync, 3 clusters as declared
"""

REPORT = """\
us-east-1 (https://api.cache.example.com): 2 applied, 1 failed, 1 skipped, 1 stale, 1 unknown
  unknown  delete stray  2h 5s
      DELETE /cluster/stray: no answer
  failed   update busy  1m
      after 3 attempts: PUT /cluster/busy: 503: try later
  stale    update orders
      moved since the plan
  skipped  delete gone
      another change failed
  applied  create again  1m 3s
  applied  create new  0.4s
"""


def test_a_plan_tells_what_it_destroys_first_and_all_that_it_knows() -> None:
    """Counts; deletes, creates, updates by name, old → new with their lines; risks; waits; what is left alone."""
    assert plans_text([a_plan()], style=PLAIN) == PLAN


def test_a_plan_is_grouped_by_why() -> None:
    """What this change does, and what it would drag along; base, ownership and refusals with their reasons."""
    assert plans_text([explained()], style=PLAIN) == EXPLAINED


def test_targets_stand_apart_in_the_order_given() -> None:
    """One heading each, a blank line between them; nothing to do is said in one line."""
    assert plans_text([in_sync(), a_plan(), in_sync("a", 1)], style=PLAIN) == (
        f"{IN_SYNC}\n{PLAN}\na (sandbox:a): in sync, 1 cluster as declared\n"
    )
    assert plans_text([], style=PLAIN) == ""


def test_a_report_tells_what_went_wrong_first() -> None:
    """What may have happened, what failed, what moved, what was skipped for it, what went well; by name."""
    idle = TargetReport(target="a", endpoint="sandbox:a", digest="sha256:0", summary=ResultSummary(), results=())
    assert reports_text([a_report(), idle], style=PLAIN) == f"{REPORT}\na (sandbox:a): nothing to do\n"


def test_a_problem_tells_where_what_and_what_next() -> None:
    """The place, else the target; the cluster; the remedy on a line of its own."""
    assert problems_text(the_problems(), style=PLAIN) == (
        "error: manifests/orders.yaml:4:14: cluster orders: shard_count must be a whole number\n"
        "  → write 3 without quotes\n"
        "error: manifests/new.yaml:2: this is no YAML\n"
        "error: eu-west-1: GET /cluster: no connection\n"
        "error: eu-west-1: cluster broken: it is CreationFailed\n"
        "error: nothing matches\n"
        "  → see reconciler plan --help\n"
    )
    assert problems_text((), style=PLAIN) == ""


def test_colour_says_nothing_that_the_text_does_not() -> None:
    """Red destroys or failed, green is made, yellow changes; without its sequences the text is the plain one."""
    colored = (
        plans_text([a_plan()], style=COLORED)
        + reports_text([a_report()], style=COLORED)
        + problems_text(the_problems(), style=COLORED)
    )
    plain = (
        plans_text([a_plan()], style=PLAIN)
        + reports_text([a_report()], style=PLAIN)
        + problems_text(the_problems(), style=PLAIN)
    )
    assert re.sub(r"\x1b\[\d+m", "", colored) == plain
    for line in (
        "\x1b[1mus-east-1\x1b[0m \x1b[2m(https://api.cache.example.com)\x1b[0m: 2 to delete,",
        "  \x1b[33mwarning:\x1b[0m main has moved on",
        "  \x1b[31m- delete\x1b[0m \x1b[1mgone\x1b[0m  \x1b[2mmanifests/gone.yaml:7\x1b[0m  \x1b[2mremoved in 4ca6a63\x1b[0m\n",
        "  \x1b[32m+ create\x1b[0m \x1b[1mnew\x1b[0m  \x1b[2mmanifests/new.yaml:1\x1b[0m\n",
        "  \x1b[33m~ update\x1b[0m \x1b[1morders\x1b[0m  \x1b[2mmanifests/orders.yaml:1\x1b[0m\n",
        "      node_instance_type: m6g.large → r6g.large\x1b[2m  :3\x1b[0m\n      \x1b[31mrisk:\x1b[0m node-replacement\n",
        "  \x1b[31mfailed \x1b[0m  update \x1b[1mbusy\x1b[0m  \x1b[2m1m\x1b[0m\n",
        "  \x1b[32mapplied\x1b[0m  create \x1b[1mnew\x1b[0m  \x1b[2m0.4s\x1b[0m\n",
        "\x1b[31merror:\x1b[0m nothing matches\n  \x1b[2m→\x1b[0m see reconciler plan --help\n",
    ):
        assert line in colored


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
