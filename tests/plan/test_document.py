"""The plan as JSON, both ways."""

import json

import pytest
from hypothesis import given
from pydantic import ValidationError

from reconciler.errors import DamagedPlan
from reconciler.model.evidence import LeftBehind
from reconciler.plan import document
from reconciler.plan.digest import change_digest
from reconciler.plan.document import dump_plans, load_plans
from reconciler.plan.plan import Plan
from reconciler.problem import Problem
from reconciler.results import ReportDocument
from tests.fakes import head, live, manifest
from tests.plan.histories import git, line, plan_of
from tests.plan.worlds import World, worlds


def planned() -> Plan:
    """One update, one cluster of somebody else's, one field that is kept."""
    one = head(manifest(shard_count=3), manifest("kept"))
    kept = line(manifest("kept"), kept={"shard_count": 9})
    return plan_of(
        one, [live(), live("kept", shard_count=9), live("stray", errors=["Odd"])], git(recorded=[manifest(), kept])
    )


@pytest.mark.slow
@given(worlds())
def test_a_plan_survives_its_document(world: World) -> None:
    """Whole, beside another, in the same order; each change and each target with its digest."""
    plans = (world.plan, world.plan.model_copy(update={"target": "other"}))
    dumped = dump_plans(plans)
    text = json.dumps(dumped)
    assert load_plans(text).targets == plans
    assert json.dumps(dump_plans(load_plans(text).targets)) == text
    for plan, target in zip(plans, dumped["targets"], strict=True):
        assert target["digest"] == plan.digest
        assert [change["digest"] for change in target["changes"]] == [change_digest(change) for change in plan.changes]


def test_the_document_has_the_published_shape() -> None:
    """Keys, their order and their values."""
    behind = LeftBehind("old", "https://old", ("x",))
    whole = dump_plans([planned()], [Problem("git", "no", target="other")], [behind])
    assert list(whole) == ["kind", "format_version", "tool_version", "errors", "left_behind", "targets"]
    assert whole["left_behind"] == [{"target": "old", "endpoint": "https://old", "clusters": ["x"]}]
    assert (load_plans(json.dumps(whole)).left_behind, load_plans(json.dumps(whole)).errors[0].target) == (
        (behind,),
        "other",
    )
    target = whole["targets"][0]
    assert list(target) == [
        *("target", "endpoint", "revision", "dirty", "base", "record", "live_read", "digest", "manifests", "folder"),
        *("intent", "summary", "nodes", "cost", "changes", "taken_over", "settling", "kept", "unmanaged", "unhealthy"),
        *("violations", "warnings"),
    ]
    (change,) = target["changes"]
    assert change.pop("digest").startswith("sha256:")
    assert change.pop("live_digest").startswith("sha256:")
    assert list(change)[:4] == ["action", "name", "cause", "moved_from"]
    assert change == {
        "action": "update",
        "name": "orders",
        "cause": "revision",
        "moved_from": None,
        "source": {"file": "manifests/orders.yaml", "line": 1, "commit": None},
        "fields": [
            {
                "path": "shard_count", "before": 2, "after": 3, "cause": "revision", "file": None, "line": 4,
                "commit": None, "recorded": 2, "left": None,
            }
        ],
        "risks": ["resharding"],
        "waits_for": None,
        "left": None,
        "requests": [
            {
                "method": "PUT",
                "path": "/cluster/orders",
                "body": {
                    "description": "", "node_instance_type": "m6g.large", "shard_count": 3, "replication_factor": 1,
                    "enforce_shard_multi_az": True,
                },
            }
        ],
    }  # fmt: skip
    assert target["record"] == {"commit": "recorded", "revision": "applied"}
    assert target["summary"] == {
        "create": 0, "update": 1, "delete": 0, "left": 0, "unchanged": 1, "settling": 0, "taken_over": 0,
        "unmanaged": 1, "unhealthy": 0,
    }  # fmt: skip
    assert target["nodes"] == {"before": 4 + 18 + 4, "after": 6 + 18 + 4}
    assert target["kept"] == [{"name": "kept", "path": "shard_count", "sent": 2, "kept": 9}]
    assert target["unmanaged"] == [{"name": "stray", "ownership": "not-ours", "removed_by": None}]


@pytest.mark.parametrize(
    ("was", "becomes", "message"),
    [
        ('"after": 3', '"after": 4', "the plan of target default was altered: its digest doesn't fit"),
        ('"name": "orders"', '"name": "other"', "the plan of target default was altered: its digest doesn't fit"),
        ('"endpoint": "https://h"', '"endpoint": "https://i"', "the plan of target default was altered: its digest doesn't fit"),
        ('"shard_count": 3, "replication', '"shard_count": 9, "replication', "the plan of target default was altered: its digest doesn't fit"),
        ('"kind": "plan"', '"kind": "report"', "this is not a plan of format 1"),
        ('"format_version": 1', '"format_version": 2', "this is not a plan of format 1, but of 2"),
        ('"format_version": 1', '"format_version": "\\u001b[2J"', "this is not a plan of format 1, but of '\\x1b[2J'"),
        ('"format_version": 1', f'"format_version": "{"v" * 99}"', f"this is not a plan of format 1, but of '{'v' * 38}…"),
        ('"live_read": true', '"live_read": true, "more": 1', "the plan is damaged: its shape is wrong"),
        ('"path": "shard_count"', '"path": "\\u001b[2J"', "the plan is damaged: its shape is wrong"),
        ('"before": 2', '"before": 2.5', "the plan is damaged: its shape is wrong"),
        ('"targets": [', '"targets": [[], ', "the plan is damaged: it can't be read"),
        ('"targets": [', '"targets": [null, ', "the plan is damaged: it can't be read"),
        ('"targets": [', f'"targets": [{"[" * 100_000}', "the plan is damaged: it can't be read"),
        ("}", "", "the plan is damaged: it can't be read"),
    ],
)  # fmt: skip
def test_a_damaged_or_foreign_plan_is_refused_whole(was: str, becomes: str, message: str) -> None:
    """Altered, cut off, of another kind or version: an error that says what to do."""
    text = json.dumps(dump_plans([planned()]))
    assert was in text
    with pytest.raises(DamagedPlan) as caught:
        load_plans(text.replace(was, becomes))
    assert caught.value.message == message
    anew = "make a new one with this version" if "of format" in message else "make a new one"
    assert caught.value.remedy == f"{anew}: reconciler plan --out FILE"


@pytest.mark.parametrize("text", [b"", b"\xff", b"null", b"[]", b"{}", b"9" * 5000, b'"plan"', b'{"kind": "plan"}'])
def test_what_is_no_plan_is_refused(text: bytes) -> None:
    """Whatever it is."""
    with pytest.raises(DamagedPlan):
        load_plans(text)


def test_what_is_too_long_is_not_even_read() -> None:
    """A plan of twenty-five thousand creates isn't."""

    class Long(bytes):
        length = document.MAX_PLAN_BYTES

        def __len__(self) -> int:
            return self.length

    with pytest.raises(DamagedPlan, match="not a plan of format 1"):
        load_plans(Long(b"[1, 2]"))
    Long.length += 1
    with pytest.raises(DamagedPlan, match="longer than 64 MiB") as caught:
        load_plans(Long())
    assert caught.value.remedy == "plan fewer clusters at once: --target NAME, --only GLOB"
    with pytest.raises(DamagedPlan, match="more than 2000000 values"):
        load_plans(b'{"kind": "plan", "targets": [' + b"{}," * (document.MOST_VALUES // 2) + b"{}]}")
    with pytest.raises(DamagedPlan, match="can't be read"):
        load_plans(b"," * document.MOST_VALUES)
    one = json.dumps(dump_plans([planned()])["targets"][0]["changes"][0])
    assert 25_000 * len(one) < document.MAX_PLAN_BYTES
    assert 25_000 * sum(map(one.count, ",[{")) < document.MOST_VALUES


def test_a_list_is_read_up_to_its_first_wrong_entry() -> None:
    """Each that is told of takes a kilobyte, and of each there may be a million."""
    targets = [{"results": [{}] * 1000, "warnings": [0] * 1000}] * 10
    with pytest.raises(ValidationError) as caught:
        ReportDocument.model_validate_json(json.dumps({"errors": [{}] * 1000, "targets": targets}))
    assert caught.value.error_count() < 50
