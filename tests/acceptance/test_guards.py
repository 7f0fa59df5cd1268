"""What refuses a plan: before any request, all of it at once, and each with the way that allows it."""

import json
import re

import pytest

from tests.acceptance.conftest import Checkout

TO_ALLOW = re.compile(r"allow it for one run with (--(?:allow |adopt=)[\w-]+)")


@pytest.mark.slow
def test_all_guards_of_all_targets_refuse_at_once_and_say_what_allows_them(checkout: Checkout) -> None:
    """Exit 3, and the service saw only GETs; limit and actual are told; what the messages say does allow it."""
    service = checkout.service()
    fleet = f"""\
        targets:
          many:
            endpoint: "{service.url}/accounts/many"
            guards: {{max_added_nodes: 2}}
          none: {{endpoint: "{service.url}/accounts/none"}}
        """
    checkout.write("manifests/fleet.yaml", f'{fleet}  away: {{endpoint: "{service.url}/accounts/away"}}\n')
    gone = [f"gone-{number}" for number in range(6)]
    stays = [f"stays-{number}" for number in range(4)]
    checkout.write("manifests/none/.gitkeep", "")
    checkout.declare("last", folder="manifests/none")
    checkout.declare("left", folder="manifests/away")
    checkout.declare(*gone, *stays, folder="manifests/many")
    checkout.commit()
    assert checkout.run("apply --yes --allow max-added-nodes").code == 0
    checkout.write("manifests/fleet.yaml", fleet)
    checkout.remove("left", folder="manifests/away")
    checkout.remove("last", folder="manifests/none")
    checkout.remove(*gone, folder="manifests/many")
    checkout.declare("new", folder="manifests/many", shard_count=20)
    checkout.declare("foreign", folder="manifests/many")
    checkout.commit()
    service.put("foreign", account="/accounts/many", shard_count=2)
    service.answers.clear()

    refused = checkout.run("apply --yes --prune --format json --base HEAD~1")
    assert (refused.code, sorted(service.answers)) == (
        3,
        ["GET /accounts/many/cluster 200", "GET /accounts/none/cluster 200"],
    )
    violations = [
        (target["target"], violation["guard"], violation["limit"], violation["actual"])
        for target in refused.targets
        for violation in target["violations"]
    ]
    assert violations == [
        ("many", "max-deletes", 5, 6),
        ("many", "max-delete-fraction", 0.25, 0.5455),
        ("many", "max-added-nodes", 2, 13),
        ("many", "adopt", None, None),
        ("many", "orphans", None, 1),
        ("none", "empty-head", None, 0),
    ]
    assert [f"error: {target}: refused by {guard}: " in refused.err for target, guard, *_ in violations] == [True] * 6
    plan = checkout.run("plan --prune --base HEAD~1 --out plan.json")
    assert plan.code == 3
    assert json.loads((checkout.folder / "plan.json").read_text())["targets"] == refused.targets

    ways = {way for line in plan.out.splitlines() if "refused by " in line for way in TO_ALLOW.findall(line)}
    assert "--adopt=foreign" in ways
    assert len(ways) == 6
    one_left = checkout.run(f"apply --yes --prune --base HEAD~1 {' '.join(sorted(ways - {'--allow max-deletes'}))}")
    assert (one_left.code, service.writes()) == (3, [])
    allowed = checkout.run(f"apply --yes --prune --base HEAD~1 {' '.join(sorted(ways))}")
    assert (allowed.code, len(service.writes())) == (0, 6 + 2 + 1)


@pytest.mark.slow
def test_no_change_lifts_its_own_limit(checkout: Checkout) -> None:
    """A limit that this change raises counts from the next one on; a pattern of protect that it takes out, too."""
    service = checkout.service()
    fleet = "targets: {t: {}}\nguards: {max_deletes: 1, max_delete_fraction: null, protect: [audit-*]}\n"
    checkout.write("manifests/fleet.yaml", fleet)
    checkout.declare("one", "two", "stays", "audit-log", folder="manifests/t")
    checkout.commit()
    service.put("one", "two", "stays", "audit-log")
    assert checkout.run("apply --yes").code == 0  # nothing to do, and taken over: with the limits of now
    checkout.write("manifests/fleet.yaml", fleet.replace("1", "null").replace("audit-*", ""))
    lifted = checkout.commit()
    checkout.remove("one", "two", "audit-log", folder="manifests/t")
    removed = checkout.commit()
    refused = checkout.run("apply --yes --prune --format json")
    guards = [(v["guard"], v["limit"], v["actual"]) for v in refused.targets[0]["violations"]]
    assert (refused.code, guards) == (3, [("max-deletes", 1, 3), ("protected", None, None)])
    assert service.writes() == []
    checkout.git("checkout", "--quiet", "--detach", lifted)
    assert checkout.run("apply --yes").code == 0
    checkout.git("checkout", "--quiet", "--detach", removed)
    assert checkout.run("apply --yes --prune").code == 0
    assert len(service.writes()) == 3


@pytest.mark.slow
def test_adopting_is_shown_and_needs_a_word_where_it_changes_something(checkout: Checkout) -> None:
    """A live cluster that is declared as it is comes along silently; another only with --adopt, or --adopt=GLOB."""
    service = checkout.service()
    checkout.declare("orders")
    checkout.commit()
    assert checkout.run("apply --yes").code == 0
    service.put("theirs-same")
    service.put("theirs-one", "theirs-two", shard_count=3)
    checkout.declare("theirs-same", "theirs-one", "theirs-two")
    checkout.commit()
    service.answers.clear()
    plan = checkout.run("plan")
    assert plan.code == 3
    assert "takes over 1 cluster that is live and exactly as declared: theirs-same" in plan.out
    assert (
        "refused by adopt: 2 clusters are live already, made by somebody else, and would be changed (theirs-one, theirs-two): "
        "allow it for one run with --adopt, or --adopt=GLOB for some of them, or `adopt: GLOB` in the workflow; "
        "permanently: write `lifecycle: {adopt: true}` in their manifests\n"
    ) in plan.out
    assert checkout.run("apply --yes --adopt=*-one").code == 3
    assert service.writes() == []
    assert checkout.run("apply --yes --adopt=theirs-*").code == 0
    assert service.writes() == ["PUT /cluster/theirs-one 200", "PUT /cluster/theirs-two 200"]


@pytest.mark.slow
def test_what_drifted_is_only_reported_where_the_fleet_says_so(checkout: Checkout) -> None:
    """It is shown and left alone, the same cluster's other fields are applied; a conflict this change means to end is."""
    service = checkout.service()
    checkout.write("manifests/fleet.yaml", "targets: {t: {on_drift: report}}\n")
    checkout.declare("drifted", "changed", "lost", "same", folder="manifests/t")
    checkout.commit()
    assert checkout.run("apply --yes").code == 0
    service.put("drifted", "changed", node_instance_type="m6g.large")
    service.delete("lost")
    service.answers.clear()
    plan = checkout.run("plan --detailed-exitcode")
    assert (plan.code, plan.out.count("left as it is: on_drift is report")) == (0, 2)
    assert "left as it is: 3 drifted" in plan.out
    assert checkout.run("apply --yes").code == 0
    assert service.writes() == []
    assert checkout.run("drift").code == 2
    checkout.declare("changed", folder="manifests/t", shard_count=2)
    checkout.commit()
    assert checkout.run("plan --detailed-exitcode").code == 2
    applied = checkout.run("apply --yes --format json")
    assert (applied.code, applied.outcomes) == (0, {"changed": "applied", "drifted": "left", "lost": "left"})
    drift = checkout.run("drift --format json")
    fields = {c["name"]: [f["path"] for f in c["fields"]] for c in drift.targets[0]["changes"]}
    assert (drift.code, fields["changed"], fields["drifted"]) == (2, ["node_instance_type"], ["node_instance_type"])


@pytest.mark.slow
def test_moving_the_folder_lifts_no_limit(checkout: Checkout) -> None:
    """Under another name base says nothing of it: the record's limits hold. By a link it isn't read at all."""
    service = checkout.service()
    checkout.declare("a", "b", folder="manifests/p")
    fleet = f"targets:\n  p: {{endpoint: {service.url}}}\n"
    checkout.write("manifests/fleet.yaml", fleet + "guards: {protect: [b], max_deletes: 0}\n")
    checkout.commit()
    assert checkout.run("apply --yes").code == 0
    service.sent()
    checkout.git("mv", "manifests", "moved")
    checkout.remove("b", folder="moved/p")
    checkout.write("moved/fleet.yaml", fleet)
    (checkout.folder / "manifests").symlink_to("moved")
    checkout.git("add", "--all")
    checkout.git("commit", "--quiet", "--message=Move")
    refused = checkout.run("apply --yes --prune --base HEAD~1 --manifests moved --format json")
    assert (refused.code, refused.guards) == (3, ["max-deletes", "protected"])
    linked = checkout.run("apply --yes --prune --base HEAD~1")
    assert linked.code == 1
    assert "name the folder itself: --manifests moved" in linked.err
    assert service.sent() == []
