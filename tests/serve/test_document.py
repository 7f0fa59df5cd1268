"""The state is as its schema says, and as its documentation does."""

import json
from pathlib import Path

import pytest
from jsonschema_rs import Draft7Validator

from reconciler.report.json_text import json_text
from reconciler.serve.document import dump_state, state_schema
from reconciler.serve.picture import Condition
from tests.report.test_hostile import around, check_characters, everywhere
from tests.serve.scenes import NOW, everything, half_failed
from tests.serve.test_page import SCENES

DOCS = (Path(__file__).parent.parent.parent / "docs/operations.md").read_text()


@pytest.mark.parametrize("scene", SCENES)
def test_the_state_is_as_published(scene: "object") -> None:
    """Whatever the loop went through."""
    document = dump_state(scene(), NOW)  # type: ignore[operator]
    assert [error.message for error in Draft7Validator(state_schema()).iter_errors(document)] == []


def test_the_state_says_what_the_page_does() -> None:
    """What was last seen, how each change ended, what is under way."""
    document = dump_state(half_failed(), NOW)
    progress = {"total": 10, "ended": 3, "failed": 1, "awaited": 2, "oldest_seconds": 192.0}
    assert document["rounds"] == [
        {"round": 3, "began_at": NOW - 9, "targets": ["ap-south-1"], "progress": progress},
        {"round": 4, "began_at": NOW - 4, "targets": ["us-east-1"], "progress": None},
    ]
    us, eu, ap = document["targets"]
    busy = {"action": "update", "name": "busy", "doing": "waiting", "since": NOW - 192, "fields": []}
    assert ap["ongoing"][0] == {**busy, "status": "Updating", "said": "409: it is being updated"}
    assert us["last_applies"][0] == {
        "at": NOW - 3600,
        "outcome": "1 applied",
        "revision": "159aa65914e5dbd3f1c94dd4d0f9e4c6de0a38a1",
        "run": "https://ci.example.com/runs/7",
    }
    assert [(one["target"], one["condition"], one["in_sync"]) for one in (us, eu, ap)] == [
        ("us-east-1", "failed", 14),
        ("eu-west-1", "failed", 5),
        ("ap-south-1", "in-sync", 12),
    ]
    assert {one["name"]: one["outcome"] for one in us["changes"]} == {
        "busy": "failed",
        "gone": "skipped",
        "orders": "stale",
        "stray": "unknown",
    }
    assert (eu["failures"], eu["planned_at"], eu["next_round_at"]) == (3, NOW - 121, NOW + 570)
    assert us["last_applied"][0] == {
        "name": "carts-0000",
        "at": NOW - 3600,
        "commit": "159aa65914e5dbd3f1c94dd4d0f9e4c6de0a38a1",
        "file": "manifests/carts-0000.yaml",
        "line": 1,
    }


@pytest.mark.slow
@everywhere
def test_the_state_is_one_harmless_document(hostile: str) -> None:
    """ASCII that reads back as what was meant."""
    document = dump_state(everything(around(hostile)), NOW)
    text = json_text(document)
    assert json.loads(text) == document
    check_characters(text)


def test_each_condition_is_documented() -> None:
    """In the order in which the worst is chosen from."""
    rows = [line.split("`")[1] for line in DOCS.splitlines() if line.startswith("| `") and line.count("|") == 3]
    from typing import get_args

    assert [row for row in rows if row in get_args(Condition)] == list(get_args(Condition))
