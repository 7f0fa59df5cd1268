"""What nobody reviewed: refused, or done only where it is harmless; and always said."""

import json

import pytest

from tests.acceptance.conftest import Checkout


@pytest.mark.slow
def test_what_is_not_reviewed_goes_on_only_where_it_is_harmless(checkout: Checkout) -> None:
    """Creates and updates do, and are named; one delete, conflict or adoption among them refuses all, with exit 4."""
    service = checkout.service()
    checkout.declare("grown", "old", "kept", "also", "more")
    checkout.commit()
    assert checkout.run("apply --yes -q").code == 0
    checkout.declare("grown", shard_count=2)
    checkout.commit()
    assert checkout.run("plan --prune --out reviewed.json").code == 0
    checkout.declare("new")
    checkout.remove("old")
    checkout.commit()
    service.answers.clear()

    refused = checkout.run(
        "apply --yes --prune --expect reviewed.json --unreviewed harmless --format json --out out.json"
    )
    assert (refused.code, service.writes()) == (4, [])
    assert "delete old" in refused.err
    assert (checkout.folder / "out.json").read_text() == refused.out
    [error] = json.loads(refused.out)["errors"]
    assert (error["kind"], error["target"]) == ("stale", "default")
    assert "delete old" in error["message"]
    assert "delete old" in checkout.run("apply --yes --prune --unreviewed harmless").err
    assert "create new" in checkout.run("apply --yes --expect reviewed.json --unreviewed refuse").err
    assert "create new" in checkout.run("apply --yes --expect reviewed.json").err
    assert service.writes() == []

    harmless = checkout.run("apply --yes --expect reviewed.json --unreviewed harmless --format json")
    assert (harmless.code, harmless.outcomes) == (0, {"grown": "applied", "new": "applied"})
    assert "not reviewed, and harmless: create new" in harmless.err


@pytest.mark.slow
def test_a_conflict_and_an_adoption_are_not_harmless(checkout: Checkout) -> None:
    """Drift is left as it is; what would be overwritten, or taken over, must have been looked at."""
    service = checkout.service()
    checkout.declare("a", "b", "c", "d")
    checkout.commit()
    assert checkout.run("apply --yes -q").code == 0
    service.put("a", shard_count=5)
    drift = checkout.run("apply --yes --unreviewed harmless --format json")
    assert (drift.code, drift.outcomes) == (0, {"a": "left"})
    service.put("a", shard_count=5)
    checkout.declare("a", shard_count=2)
    checkout.commit()
    assert "update a\n" in checkout.run("apply --yes --unreviewed harmless").err
    assert checkout.run("apply --yes -q").code == 0
    service.put("theirs", shard_count=7)
    checkout.declare("theirs")
    checkout.commit()
    adopting = checkout.run("apply --yes --adopt --unreviewed harmless")
    assert (adopting.code, "update theirs\n" in adopting.err) == (4, True)
    assert checkout.run("apply --yes --adopt -q").code == 0
