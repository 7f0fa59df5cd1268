"""Why a change didn't end as applied: exactly what people read, with what the service says kept in bounds."""

from reconciler.apply import words
from reconciler.apply.protocol import Refusal
from reconciler.model.cluster import LiveCluster, Values
from reconciler.results import ErrorDetail
from tests.apply.fakes import live

LONG = "x" * 1000
CUT = "x" * 299 + "…"


def test_what_the_service_says_is_printable_and_short() -> None:
    """A status, or an error, of any length and of any characters."""
    odd = live("a", status=f"\x1b[31m{LONG}")
    for detail in (words.update_failed(odd), words.still_there(odd), words.not_settled(60.0, odd.status)):
        assert "\x1b" not in detail.message
        assert len(detail.message) < 500
    assert words.condition(live("a", status=LONG)) == CUT
    assert words.not_settled(60.0, LONG).message == f"it has not settled within 1m, and is {CUT}; run `reconciler wait`"


def test_what_is_not_known_is_not_told() -> None:
    """No status, no last word."""
    assert words.not_settled(60.0, None).message == "it has not settled within 1m; run `reconciler wait`"
    waited = "it has not become ready for its request within 1m"
    assert words.not_ready(60.0, None) == ErrorDetail(kind="timeout", message=f"{waited}; run it again later")
    busy = Refusal("in-transition", "409 Conflict", 409)
    assert words.not_ready(60.0, busy) == ErrorDetail(
        kind="timeout", message=f"{waited}; the service's last word: 409 Conflict; run it again later", http_status=409
    )


def test_each_field_that_is_not_as_sent_is_named() -> None:
    """With what was sent, and what is there in its place."""
    sent: Values = {"description": "x", "shard_count": 3}
    assert words.not_as_sent(sent, {"description": None, "shard_count": 2}).message == (
        'it is Active, and not as sent: description: sent "x", it is nothing; shard_count: sent 3, it is 2; '
        "declare what the service keeps, or name the field in lifecycle.ignore_changes"
    )


def test_three_names_are_told_and_how_many_more() -> None:
    """By name, whatever their order."""
    for names, told in (
        ("ba", "a, b"),
        ("cab", "a, b, c"),
        ("dcba", "a, b, c and 1 more"),
        ("edcba", "a, b, c and 2 more"),
    ):
        assert words.too_many_failed(names, 3).message == (
            f"not sent: {told} failed, and max_failures is 3; fix that, and run again"
        )


def test_one_target_has_yet_to_settle_and_several_have() -> None:
    """What waits for them says so."""
    then = "yet to settle; it is deleted in a round after that"
    assert words.others_settle(["eu"]).message == f"not deleted: eu has {then}"
    assert words.others_settle(["us", "eu"]).message == f"not deleted: eu, us have {then}"


def test_a_condition_has_all_errors() -> None:
    """In the service's own words."""
    sick: LiveCluster = live("a", status="UpdateFailed", errors=["X", "Y"])
    assert words.condition(sick) == "UpdateFailed with X, Y"
    assert words.condition(live("a")) == "Active"
