"""The first day: what is live becomes manifests, and nothing that is live changes."""

import json
from typing import Any

import pytest

from tests.acceptance.conftest import SMALL, Checkout, Workplace


@pytest.mark.slow
def test_from_live_clusters_to_a_green_drift(checkout: Checkout) -> None:
    """Forty varied clusters, an empty folder: export, commit, plan, apply, drift; the service is only asked."""
    service = checkout.service(switches=("reveal-placements",))
    names = [*(f"cluster-{number:02}" for number in range(34)), "no", "0x1F", "fleet", "...", "A", "a"]
    for number, name in enumerate(names):
        wide: dict[str, Any] = {
            "shard_count": 1 + number % 3,
            "replication_factor": number % 2,
            "enforce_shard_multi_az": bool(number % 2),
        }
        service.put(name, description=f"{name}: # {number}\n- no" if number % 3 else "", **wide)
    service.put("broken", node_instance_type="no-such.type")
    exported = checkout.run("export --adopt --placements")
    assert (exported.code, exported.out.splitlines()[0]) == (0, "default: 40 manifests written, 1 left out")
    assert "left out: broken: it is Creating (InstanceTypeNotAvailable) and was never Active\n" in exported.out
    checkout.commit()
    plan = checkout.run("plan --format json --detailed-exitcode")
    assert (plan.code, plan.targets[0]["changes"], plan.targets[0]["warnings"]) == (0, [], [])
    assert plan.targets[0]["taken_over"] == sorted(names)
    assert checkout.run("plan").out.endswith(
        "  next: apply, which sends nothing, and takes over what is as declared: reconciler apply\n"
    )
    applied = checkout.run("apply --yes")
    assert (applied.code, applied.out.splitlines()[0]) == (0, "default: 40 taken over")
    assert checkout.run("drift").code == 0
    assert checkout.run("apply --yes --format json").targets[0]["taken_over"] == []
    assert service.sent() == []
    again = checkout.run("export")
    assert again.out.startswith("default: 0 manifests written, 40 declared already, 1 left out\n")


@pytest.mark.slow
def test_two_targets_and_a_folder_that_is_not_there(checkout: Checkout) -> None:
    """Each target's clusters go into its folder, whether it is there or not; `--target` takes one."""
    service = checkout.service()
    for target in ("us", "eu"):
        service.put(f"{target}-1", account=f"/accounts/{target}")
    endpoints = {target: {"endpoint": f"{service.url}/accounts/{target}"} for target in ("us", "eu")}
    checkout.write("manifests/fleet.yaml", json.dumps({"targets": endpoints, "defaults": SMALL}))
    del checkout.environment["MOMENTO_ENDPOINT"]
    assert checkout.run("export --target eu").out.splitlines()[1] == "  wrote manifests/eu/eu-1.yaml"
    assert checkout.run("export").out.splitlines()[1] == "  wrote manifests/us/us-1.yaml"
    assert (checkout.folder / "manifests/us/us-1.yaml").read_text().splitlines()[1:] == ["name: us-1"]
    assert checkout.run("plan --detailed-exitcode").code == 0


@pytest.mark.slow
def test_a_target_without_clusters(checkout: Checkout) -> None:
    """Its folder is there all the same, in every clone: what was exported can be planned."""
    service = checkout.service()
    service.put("us-1", account="/accounts/us")
    endpoints = {target: {"endpoint": f"{service.url}/accounts/{target}"} for target in ("us", "eu")}
    checkout.write("manifests/fleet.yaml", json.dumps({"targets": endpoints}))
    del checkout.environment["MOMENTO_ENDPOINT"]
    ended = checkout.run("export")
    assert (ended.code, ended.out.splitlines()[2:4]) == (
        0,
        ["eu: 0 manifests written", "  wrote manifests/eu/.gitkeep"],
    )
    checkout.commit()
    checkout.git("clone", "--quiet", ".", "clone")
    plan = checkout.run("plan --detailed-exitcode --manifests clone/manifests")
    assert (plan.code, ".gitkeep" in plan.out) == (0, False)
    assert checkout.run("export").out.splitlines() == [
        "us: 0 manifests written, 1 declared already",
        "eu: 0 manifests written",
    ]


@pytest.mark.slow
def test_a_target_that_cannot_be_read_costs_the_others_nothing(checkout: Checkout) -> None:
    """Its error is told, and the exit is 1."""
    service = checkout.service()
    service.put("here", account="/accounts/us")
    endpoints = {"us": f"{service.url}/accounts/us", "gone": f"{service.url}/nothing"}
    checkout.write("manifests/fleet.yaml", json.dumps({"targets": {t: {"endpoint": e} for t, e in endpoints.items()}}))
    del checkout.environment["MOMENTO_ENDPOINT"]
    ended = checkout.run("export")
    assert (ended.code, ended.out.splitlines()[0]) == (1, "us: 1 manifest written")
    assert "gone" in ended.err


@pytest.mark.slow
def test_live_wins_where_that_is_meant(checkout: Checkout) -> None:
    """`--force` brings manifests up to date, and keeps what else stands in them; without it nothing is written."""
    service = checkout.service()
    checkout.write(
        "manifests/orders.yaml",
        "# ask first\nname: orders\nnode_instance_type: t4g.small # cheap\n"
        "shard_count: 1\nreplication_factor: 0\nenforce_shard_multi_az: false\n",
    )
    service.put("orders", node_instance_type="m7g.large", shard_count=3)
    before = (checkout.folder / "manifests/orders.yaml").read_text()
    assert checkout.run("export").out == "default: 0 manifests written, 1 declared already\n"
    assert (checkout.folder / "manifests/orders.yaml").read_text() == before
    assert checkout.run("export --force").code == 0
    after = before.replace("t4g.small", "m7g.large").replace("shard_count: 1", "shard_count: 3")
    assert (checkout.folder / "manifests/orders.yaml").read_text() == after
    checkout.commit()
    assert checkout.run("plan --detailed-exitcode").code == 0


@pytest.mark.slow
def test_a_key_is_written_nowhere(checkout: Checkout) -> None:
    """A description that holds it costs the cluster its manifest, and the others nothing."""
    service = checkout.service()
    service.put("leaky", description="use sandbox-admin")
    service.put("orders")
    ended = checkout.run("export --format json")
    assert (ended.code, [path.name for path in checkout.folder.glob("manifests/*")]) == (0, ["orders.yaml"])
    [target] = json.loads(ended.out)["targets"]
    assert target["left_out"] == [
        {
            "name": "leaky",
            "reason": "what is listed of it can't be read: description: it holds the API key; "
            "take it out in the console, and make a new key",
        }
    ]
    assert target["files"] == [{"name": "manifests/orders.yaml", "new": True, "clusters": ["orders"]}]


@pytest.mark.slow
def test_from_a_terraform_state(workplace: Workplace) -> None:
    """No network, no key; the folder is made."""
    values = {"cluster_name": "orders", "description": None, "shard_placements": None, **SMALL}
    resource = {"address": "a", "mode": "managed", "type": "momento_valkey_cluster", "values": values}
    state = json.dumps({"format_version": "1.0", "values": {"root_module": {"resources": [resource]}}})
    ended = workplace.run("export --from-terraform - --manifests fleet", stdin=state)
    assert (ended.code, ended.out.splitlines()[1]) == (0, "  wrote fleet/orders.yaml")
    assert workplace.run("validate fleet").out == "1 manifest: valid\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ("--manifests -", "standard input is not one"),
        ("--only nothing", "--only 'nothing' matches no cluster, live"),
        ("--from-terraform s.json --region us-east-1", "reaches nothing and needs no key"),
        ("--from-terraform nothing.json", "there is no such file"),
        ("--target nothing", "there is no target 'nothing'"),
    ],
)
def test_bad_usage(checkout: Checkout, arguments: str, why: str) -> None:
    """Said before anything is written."""
    checkout.service().put("orders")
    ended = checkout.run(f"export {arguments}")
    assert (ended.code, why in ended.err) == (64, True)
    assert not [*checkout.folder.glob("manifests/*")]
