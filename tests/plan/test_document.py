"""The plan as JSON, both ways, and its digests."""

import json

import pytest
from hypothesis import given

from reconciler.errors import DamagedPlan
from reconciler.model.cluster import LiveCluster
from reconciler.model.declaration import Manifest
from reconciler.plan.document import dump_plans, load_plans
from tests.fakes import live, manifest
from tests.plan.test_compare import fleets, planned
from tests.plan.worlds import World, worlds


@given(fleets())
def test_a_plan_survives_its_document(fleet: tuple[list[Manifest], list[LiveCluster]]) -> None:
    """Written and read, it is the same plan, with the same digests."""
    plan = planned(*fleet, prune_all=True)
    assert load_plans(json.dumps(dump_plans([plan]))).targets == (plan,)


@given(worlds())
def test_an_explained_plan_survives_its_document(world: World) -> None:
    """With its causes, its guards, its provenance and its intent; beside another, in the same order."""
    plans = (world.plan, world.plan.model_copy(update={"target": "other"}))
    text = json.dumps(dump_plans(plans))
    assert load_plans(text).targets == plans
    assert json.dumps(dump_plans(load_plans(text).targets)) == text


def test_the_document_has_the_published_shape() -> None:
    """Keys, their order and their values, for one update."""
    plan = planned([manifest(shard_count=3)], [live(), live("stray", errors=["Odd"])])
    target = dump_plans([plan])["targets"][0]
    assert list(target) == [
        *("target", "endpoint", "revision", "dirty", "base", "applied", "live_read", "digest"),
        *("manifests", "folder", "intent", "summary", "nodes", "changes", "unmanaged", "unhealthy", "violations"),
        "warnings",
    ]
    change = target["changes"][0]
    assert change.pop("digest").startswith("sha256:")
    assert change.pop("live_digest").startswith("sha256:")
    assert change == {
        "action": "update",
        "name": "orders",
        "cause": None,
        "adopts": False,
        "source": {"file": "manifests/orders.yaml", "line": 1, "commit": None},
        "fields": [{"path": "shard_count", "before": 2, "after": 3, "cause": None, "line": 4, "commit": None}],
        "managed": ["node_instance_type", "shard_count", "replication_factor", "enforce_shard_multi_az"],
        "risks": ["resharding"],
        "waits_for": None,
        "requests": [
            {
                "method": "PUT",
                "path": "/cluster/orders",
                "body": {
                    "description": "",
                    "node_instance_type": "m6g.large",
                    "shard_count": 3,
                    "replication_factor": 1,
                    "enforce_shard_multi_az": True,
                },
            }
        ],
    }
    assert (target["manifests"], target["folder"]) == (None, "")
    assert target["intent"] == {
        "base": None,
        "only": [],
        "prune": None,
        "adopt": [],
        "allow": ["empty-head", "max-deletes", "max-delete-fraction"],
    }
    assert target["summary"] == {
        "create": 0, "update": 1, "delete": 0, "unchanged": 0, "unmanaged": 1, "unhealthy": 1,
    }  # fmt: skip
    assert target["nodes"] == {"before": 8, "after": 10}
    assert target["unmanaged"] == [{"name": "stray", "ownership": "unknown", "removed_by": None}]
    assert target["unhealthy"] == [{"name": "stray", "status": "Active", "errors": ["Odd"]}]


def test_a_digest_is_of_what_is_done_not_of_where_it_stands() -> None:
    """Neither places, commits nor words about it count; each thing that is done, and what it was decided on, does."""
    plan = planned([manifest(shard_count=3)], [live()])
    (change,) = plan.changes
    (field,) = change.fields
    other = planned([manifest(shard_count=4)], [live()]).changes[0]

    def digest(**update: object) -> str:
        return plan.model_copy(update={"changes": (change.model_copy(update=update),)}).digest

    moved = field.model_copy(update={"line": 99, "commit": "c", "cause": "drift"})
    assert digest(source=None, risks=(), managed=(), fields=(moved,)) == plan.digest
    different = [
        digest(name="other"),
        digest(cause="drift"),
        digest(adopts=True),
        digest(fields=(field.model_copy(update={"before": 1}),)),
        digest(fields=(field.model_copy(update={"after": 1}),)),
        digest(fields=(field.model_copy(update={"path": "replication_factor"}),)),
        digest(requests=()),
        digest(requests=other.requests),
        digest(live_digest="sha256:0"),
        plan.model_copy(update={"target": "other"}).digest,
        plan.model_copy(update={"endpoint": "https://other"}).digest,
        plan.model_copy(update={"changes": ()}).digest,
    ]
    assert len({plan.digest, *different}) == len(different) + 1


def test_a_live_digest_is_of_the_configuration() -> None:
    """Whatever PUT could change counts, managed or not; status and errors don't."""
    plan = planned([manifest(shard_count=3)], [live()])
    assert planned([manifest(shard_count=3)], [live(description="x")]).digest != plan.digest
    assert planned([manifest(shard_count=3)], [live(errors=["x"])]).digest == plan.digest


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ('"after": 3', '"after": 4'),
        ('"name": "orders"', '"name": "other"'),
        ('"endpoint": "https://h"', '"endpoint": "https://other"'),
        ('"kind": "plan"', '"kind": "report"'),
        ('"format_version": 1', '"format_version": 2'),
        ('"live_read": true', '"live_read": true, "more": 1'),
        ('"path": "shard_count"', '"path": "\\u001b[2J"'),
        ('"targets": [', '"targets": [[], '),
        ("}", ""),
    ],
)
def test_a_damaged_or_foreign_plan_is_refused_whole(was: str, becomes: str) -> None:
    """Altered, cut off, of another kind or version: an error that says what to do."""
    text = json.dumps(dump_plans([planned([manifest(shard_count=3)], [live()])]))
    assert was in text
    with pytest.raises(DamagedPlan) as caught:
        load_plans(text.replace(was, becomes))
    assert "reconciler plan --out FILE" in (caught.value.remedy or "")
