"""The page says what there is to say, and what outsiders write stays text."""

import re
import unicodedata

import pytest
from hypothesis import given, settings

from reconciler.model.secret import MASK, ApiKey, redact
from reconciler.serve.page import CONTENT_SECURITY_POLICY, render_page
from tests.report.everything import as_it_is
from tests.report.test_hostile import HOSTILE, around, everywhere
from tests.serve.pages import read, said
from tests.serve.scenes import (
    APPLYING,
    NOW,
    a_thousand,
    all_in_sync,
    applying,
    drifted,
    everything,
    half_failed,
    suspended_apply,
    waiting_for_the_lease,
)

SCENES = [
    lambda: APPLYING,
    all_in_sync,
    drifted,
    half_failed,
    applying,
    a_thousand,
    everything,
    suspended_apply,
    waiting_for_the_lease,
]


def test_a_fleet_in_sync_is_told_in_a_glance() -> None:
    """The count first, each target with its last and next round; names are there for who unfolds them."""
    told = said(all_in_sync())
    assert "13 clusters in sync" in told
    assert "us-east-1 In sync looked 2m ago , took 1.2s next in 3m" in told
    assert "In sync: 8 carts-0000 orders-0001" in told
    assert "Last applies: 1h ago 1 applied 1h ago from 159aa65914 run https://ci.example.com/runs/7" in told
    assert "3 applied, 1 failed 2h ago from a dirty tree Last applied clusters carts-0000 1h ago from" in told
    assert "from 159aa65914 manifests/carts-0000.yaml:1" in told


def test_what_differs_is_told_with_its_cause_and_what_is_left_with_its_reason() -> None:
    """As every other page words it; a suspension with its reason and its end."""
    told = said(drifted())
    assert "1 of 2 targets drifted" in told
    assert (
        "Drift: changed outside git, would be reverted 1 update carts manifests/carts.yaml:1 shard_count 9 → 4 declared 4, changed by hand to 9 resharding: its slots move between shards"
        in told
    )
    assert (
        "Left as it is: shown, and not carried out 1 leave orders manifests/orders.yaml:1 replication_factor declared 1, now 2, left as it is: on_drift is report"
        in told
    )
    assert "eu-west-1 In sync Suspended" in told
    assert "Nothing is applied until 2027-01-15T10:00:00Z (in 2h) : failover test, ask the cache team" in told


def test_what_failed_is_told_with_the_services_words() -> None:
    """What was last seen of a target says how old it is; what is under way says how far it is."""
    told = said(half_failed())
    assert "2 of 3 targets failed" in told
    applying = "ap-south-1: Applying: 3 of 10 clusters done, 2 awaited, the longest for 3m 12s, 1 failed begun 9s ago"
    assert f"{applying} 3 of 10 us-east-1: Looking and planning begun 4s ago" in told
    assert "Failed 1 update busy manifests/busy.yaml:1 after 3 attempts: PUT /cluster/busy: 503: try later" in told
    assert "5 as declared, nodes 12 as last seen 2m 1s ago" in told
    assert "unreachable GET /cluster: no connection: timed out; 9 attempts in 60s is this the endpoint?" in told
    assert "next in 9m 30s , 3 failed in a row" in told
    assert told.count("next in") == 1  # of the one that is left out of the round under way


def test_what_is_under_way_is_told_cluster_by_cluster() -> None:
    """Since when, what was asked of it, what is in its way; equal ones as one; nothing of that as what is to come, too."""
    told = said(applying())
    assert "Applying: 31 of 110 clusters done, 44 awaited, the longest for 10m, 1 failed begun 11m 40s ago" in told
    assert (
        "Under way 40 update 40 clusters, all alike node_instance_type m6g.large → r6g.large "
        "the oldest taken 10m ago, now Updating Which 40 cart-000 10m cart-001 9m 59s"
    ) in told
    assert "Applied so far 30 update 30 clusters Which 30 cart-040 cart-041" in told
    assert "Failed so far 1 update orders PUT /cluster/orders: 400: no such type" in told
    assert "This change 30 update 30 clusters, all alike" in told
    assert "Under way 4 update busy manifests/busy.yaml:1 replication_factor 1 → 0" in told
    assert (
        "due 3m 12s ago, waits until the service is ready for it, now Updating "
        "the service said: 409: it is being updated create again"
    ) in told
    assert "delete gone manifests/gone.yaml:7 sent 2s ago, no answer yet" in told
    assert "await slow first seen so 1m ago, now Creating" in told
    assert told.count("update busy") == 1


def test_who_waits_for_the_lease_says_whose_it_is() -> None:
    told = said(waiting_for_the_lease())
    assert "Waiting for the lease reconciler-7d9f_20270115T080000 holds it, seen 2s ago" in told


def test_a_suspended_targets_changes_are_left_with_the_reason() -> None:
    assert (
        "Left as it is 1 update carts manifests/carts.yaml:1 suspended until 2027-01-15T10:00:00Z, nothing is applied to it: because"
        in said(suspended_apply())
    )


def test_a_thousand_clusters_are_a_page() -> None:
    """Those in sync are counted, equal changes are one; what there is too much of is folded away."""
    picture = a_thousand()
    assert "update 120 clusters, all alike node_instance_type m6g.large → r6g.large" in said(picture)
    assert "32 more" in said(picture)
    assert "In sync: 836" in said(picture)
    assert len(render_page(picture, NOW, str)) < 200_000


def test_before_the_first_round_it_says_so() -> None:
    assert "No round has planned yet" in said(APPLYING)


@pytest.mark.parametrize("scene", SCENES)
def test_each_element_is_named_once_and_all_is_within_the_policy(scene: "object") -> None:
    """No id twice; no style, event or address but our own."""
    elements = read(scene()).elements  # type: ignore[operator]
    ids = [dict(attributes)["id"] for _, attributes in elements if "id" in dict(attributes)]
    assert sorted(set(ids), key=str) == sorted(ids, key=str)
    attributes = {(name, value) for _, attributes in elements for name, value in attributes}
    assert {name for name, _ in attributes}.isdisjoint({"style", "src", "action", "srcdoc"})
    assert not [name for name, _ in attributes if name.startswith("on")]
    assert {value for name, value in attributes if name == "href"} == {"data:,", "/api/state", "/metrics"}


def test_the_policy_lets_its_own_style_and_script_run_and_nothing_else() -> None:
    """Each by its hash: no `unsafe-inline`, no host."""
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[\w+/=]+'; script-src 'sha256-[\w+/=]+'; connect-src 'self'; img-src data:; "
        r"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        CONTENT_SECURITY_POLICY,
    )


def check(hostile: str) -> None:
    """The same elements with the same attributes as with harmless texts, and no character that steers or hides."""
    page = read(everything(around(hostile)))
    harmless = read(everything(as_it_is))
    assert page.elements == harmless.elements
    shown = "".join(page.texts).replace("\n", "")
    assert {unicodedata.category(c) for c in shown}.isdisjoint({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
    render_page(everything(around(hostile)), NOW, str).encode()


@everywhere
def test_what_is_known_to_be_nasty_stays_text(hostile: str) -> None:
    """Targets, clusters, values, statuses, errors, files, endpoints, warnings, reasons: all at once."""
    check(hostile)


@pytest.mark.slow
@settings(deadline=None, max_examples=25)
@given(hostile=HOSTILE)
def test_whatever_outsiders_write_stays_text(hostile: str) -> None:
    """Any mixture of the nasty and the unheard-of."""
    check(hostile)


@pytest.mark.parametrize("secret", ["sk-0123456789abcdef", "<b>&\"'0123456789"])
def test_a_secret_stands_nowhere(secret: str) -> None:
    """Wherever it came in; what is escaped, too."""
    page = render_page(everything(around(secret)), NOW, lambda text: redact(text, [ApiKey(secret)]))
    assert MASK in page
    assert secret not in "".join(read_texts(page))


def read_texts(page: str) -> list[str]:
    from tests.serve.pages import Read

    return Read(page).texts
