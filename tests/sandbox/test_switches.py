"""Each switch as a client meets it, over real HTTP; and how switches are written."""

import re
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok

from reconciler.cli.sandbox import command
from reconciler.sandbox.faults import FAULTS
from reconciler.sandbox.model import ClusterBody
from reconciler.sandbox.switches import FIELDS, KNOWN, SCALARS, Switches, Window
from tests.sandbox.calls import BODY, call, served
from tests.sandbox.service import SETTLE_SECONDS, Api, opened

WRONG = {**BODY, "node_instance_type": "z9.huge"}
ERRORS = ["InstanceTypeNotAvailable"]


def state(api: Api, name: str = "orders") -> tuple[str, list[str]] | None:
    """Status and errors as listed; None where it isn't."""
    cluster = api.listed().get(name)
    return (cluster["status"], cluster["errors"]) if cluster else None


def put(api: Api, name: str = "orders", **fields: Any) -> dict[str, Any]:
    answer = api("PUT", f"/cluster/{name}", {**BODY, **fields})
    assert answer.status == 200, answer.body
    cluster: dict[str, Any] = answer.json
    return cluster


def test_placements_that_it_chose_are_revealed(tmp_path: Path) -> None:
    """One for each shard, in PUT's answer and in the list; they can't be moved any more."""
    with opened(tmp_path, "reveal-placements") as api:
        shown = put(api, shard_count=3, replication_factor=1)["shard_placements"]
        assert [placement["shard_index"] for placement in shown] == [0, 1, 2]
        assert api.settle().listed()["orders"]["shard_placements"] == shown
        moved = {**shown[1], "availability_zone": "us-east-1f"}
        body = {**BODY, "shard_count": 3, "replication_factor": 1, "shard_placements": [moved]}
        status, message = api("PUT", "/cluster/orders", body).told
        assert (status, message) == (
            400,
            "Invalid cluster configuration: the primary of shard 1 can't be moved out of us-east-1b",
        )


@pytest.mark.parametrize("field", FIELDS)
def test_a_dropped_field_is_in_no_answer(tmp_path: Path, field: str) -> None:
    """Neither PUT nor the list has it; all else is as sent, and an update goes through."""
    with opened(tmp_path, f"drop={field}") as api:
        expected = {"name", *FIELDS, "status", "errors"} - {field}
        assert put(api, description="mine").keys() == expected
        assert api.settle().listed()["orders"].keys() == expected
        put(api, description="yours")


def test_what_is_held_may_be_something_other_than_what_was_sent(tmp_path: Path) -> None:
    """A prefix lost, blanks trimmed, a default for nothing, another number: as answered, so listed."""
    rewrites = (
        r"rewrite=node_instance_type/^cache\.//",
        r"rewrite=description/^\s+|\s+$//",
        "rewrite=description/^$/Valkey cluster/",
        "rewrite=shard_count/^3$/4/",
        "rewrite=enforce_shard_multi_az/true/null/",
        "rewrite=replication_factor/1/one/",
    )
    with opened(tmp_path, *rewrites) as api:
        held = put(api, node_instance_type="cache.m6g.large", description=" mine ", shard_count=3)
        assert (held["node_instance_type"], held["description"], held["shard_count"]) == ("m6g.large", "mine", 4)
        assert api.settle().listed()["orders"] == {**held, "status": "Active"}
        assert put(api, description="  ", enforce_shard_multi_az=True, replication_factor=1) == {
            "name": "orders",
            "description": "Valkey cluster",
            **BODY,
            "enforce_shard_multi_az": True,
            "replication_factor": 1,
            "shard_placements": [],
            "status": "Updating",
            "errors": [],
        }


def test_a_list_that_lags_shows_what_was(tmp_path: Path) -> None:
    """A create isn't listed, an update isn't visible, a delete isn't seen, for so long; writes are judged by what is."""
    with opened(tmp_path, "list-lag=2s") as api:
        put(api)
        assert state(api.after(1)) is None
        assert api("PUT", "/cluster/orders", BODY).told == (409, "Cluster orders is Creating")
        assert state(api.after(1)) == ("Creating", [])
        assert state(api.after(SETTLE_SECONDS - 1)) == ("Creating", [])
        assert state(api.after(1)) == ("Active", [])
        put(api, shard_count=2)
        assert (api.after(1).listed()["orders"]["shard_count"], state(api)) == (1, ("Active", []))
        assert api("DELETE", "/cluster/orders").told == (409, "Cluster orders is Updating")
        api.after(1)
        assert (api.listed()["orders"]["shard_count"], state(api)) == (2, ("Updating", []))
        api.after(SETTLE_SECONDS)("DELETE", "/cluster/orders")
        assert state(api.after(1)) == ("Active", [])
        assert state(api.after(1)) == ("Deleting", [])
        assert state(api.after(SETTLE_SECONDS)) is None


def test_a_list_that_lags_shows_every_step(tmp_path: Path) -> None:
    """However many updates there were meanwhile, each is listed when its time has come."""
    with opened(tmp_path, "list-lag=2000s") as api:
        for shards in (1, 2, 3):
            put(api, shard_count=shards)
            api.settle()
        seen = [api.after(200 if step else 0).listed().get("orders", {}).get("shard_count") for step in range(11)]
        assert seen == [None, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3]


def test_an_update_is_listed_at_once_or_when_it_settles(tmp_path: Path) -> None:
    """PUT answers with what was sent in both cases."""
    for switches, meanwhile in (((), 2), (("updates-listed=settled",), 1)):
        folder = tmp_path / str(meanwhile)
        with opened(folder, *switches) as api:
            put(api)
            assert put(api.settle(), shard_count=2)["shard_count"] == 2
            assert (api.listed()["orders"]["shard_count"], state(api)) == (meanwhile, ("Updating", []))
            assert api.settle().listed()["orders"]["shard_count"] == 2


def test_a_cluster_vanishes_from_the_list_for_a_while(tmp_path: Path) -> None:
    """Each time that it has settled: it is there all the same, and others stay in sight."""
    with opened(tmp_path, "vanish=or*:10s") as api:
        put(api)
        put(api, "users")
        assert state(api) == ("Creating", [])
        assert api.settle().listed().keys() == {"users"}
        assert api.after(9).listed().keys() == {"users"}
        assert api.after(1).listed().keys() == {"orders", "users"}
        put(api, shard_count=2)
        assert api.settle().listed().keys() == {"users"}
        assert put(api, shard_count=3)["status"] == "Updating"


def test_a_settled_cluster_is_busy(tmp_path: Path) -> None:
    """409 to PUT and DELETE, for a while or for ever; what was never Active can be deleted, and others aren't touched."""
    busy = (409, "Cluster orders is in use elsewhere")
    with opened(tmp_path, "busy=ord*:10s", "busy=u*") as api:
        for name, body in (("orders", BODY), ("users", BODY), ("usage", WRONG), ("carts", BODY)):
            assert api("PUT", f"/cluster/{name}", body).status == 200
        for seconds in (SETTLE_SECONDS, 9):
            api.after(seconds)
            assert api("PUT", "/cluster/orders", BODY).told == busy
            assert api("DELETE", "/cluster/orders").told == busy
        assert state(api) == ("Active", [])
        assert [api("DELETE", f"/cluster/{name}").status for name in ("usage", "carts")] == [204, 204]
        assert api.after(1)("DELETE", "/cluster/orders").status == 204
        assert api.after(1e9)("DELETE", "/cluster/users").told == (409, "Cluster users is in use elsewhere")


def test_a_create_that_fails_has_to_be_deleted(tmp_path: Path) -> None:
    """`Creating` with errors, or `CreationFailed`: never Active; a PUT is refused with the reason, a DELETE isn't."""
    for switches, status in (((), "Creating"), (("failed-statuses",), "CreationFailed")):
        with opened(tmp_path / status, *switches) as api:
            assert api("PUT", "/cluster/orders", WRONG).json["errors"] == []
            assert state(api) == ("Creating", [])
            assert state(api.settle()) == (status, ERRORS)
            assert state(api.after(1e9)) == (status, ERRORS)
            why = f"Cluster orders is {status} (InstanceTypeNotAvailable): it must be deleted first"
            assert api("PUT", "/cluster/orders", BODY).told == (409, why)
            assert api("DELETE", "/cluster/orders").status == 204
            assert state(api) == ("Deleting", [])
            assert state(api.settle()) is None
            put(api)
            assert state(api.settle()) == ("Active", [])


def test_an_update_that_fails_leaves_the_cluster_as_it_was(tmp_path: Path) -> None:
    """`Active` with errors, or `UpdateFailed`, as before; the next PUT mends it, and clears the errors as it settles."""
    for switches, status in (((), "Active"), (("failed-statuses",), "UpdateFailed")):
        with opened(tmp_path / status, *switches) as api:
            put(api, description="fine")
            before = api.settle().listed()["orders"]
            for _ in range(2):  # and a second one that fails changes nothing about it
                assert put(api, description="worse", node_instance_type="z9.huge")["status"] == "Updating"
                assert api.listed()["orders"]["description"] == "worse"
                assert api.settle().listed()["orders"] == {**before, "status": status, "errors": ERRORS}
            put(api, description="mended")
            assert state(api) == ("Updating", ERRORS)
            assert api.settle().listed()["orders"] == {**before, "description": "mended"}
            put(api, node_instance_type="z9.huge")
            assert api.settle()("DELETE", "/cluster/orders").status == 204
            assert api.listed()["orders"] == {**before, "description": "mended", "status": "Deleting"}


def test_an_instance_type_that_exists_may_be_unavailable(tmp_path: Path) -> None:
    """It fails as one that doesn't exist does; how it ends was decided when it was accepted."""
    with opened(tmp_path, "unavailable=r7g.*") as api:
        put(api, "orders", node_instance_type="r7g.large")
        put(api, "users")
        assert state(api.settle()) == ("Creating", ERRORS)
        assert state(api, "users") == ("Active", [])
    with opened(tmp_path) as api:
        assert state(api.settle()) == ("Creating", ERRORS)


def test_a_create_beyond_the_quota_is_refused(tmp_path: Path) -> None:
    """400 and the limit, for each account; updates go on, and a place that becomes free can be taken."""
    full = (400, "Invalid cluster configuration: the account may not have more than 1 clusters")
    with opened(tmp_path, "quota=1") as api:
        put(api)
        assert api("PUT", "/cluster/users", BODY).told == full
        assert api("PUT", "/accounts/other/cluster/users", BODY).status == 200
        put(api.settle(), shard_count=2)
        api.settle()("DELETE", "/cluster/orders")
        assert api("PUT", "/cluster/users", BODY).told == full
        put(api.settle(), "users")


@pytest.mark.slow
def test_all_of_them_together_are_still_what_is_described(tmp_path: Path) -> None:
    """With every switch turned, each operation passes every check of schemathesis; the description knows what is dropped."""
    everything = (
        "reveal-placements",
        "drop=description",
        "rewrite=node_instance_type/.*//",
        "rewrite=shard_count/$/0/",
        "rewrite=replication_factor/^/-1/",
        "list-lag=1ms",
        "updates-listed=settled",
        "vanish=a*:1s",
        "busy=[0-9]*",
        "unavailable=*",
        "failed-statuses",
        "quota=20",
    )
    assert {text.partition("=")[0] for text in everything} == {switch.name for switch in KNOWN}
    with opened(tmp_path, *everything) as api:
        config = schemathesis.Config.from_dict(
            {
                "headers": {"Authorization": "sandbox-admin"},
                "checks": {"positive_data_acceptance": {"expected-statuses": [200, 204, 400, 404, 409]}},
            }
        )
        described = schemathesis.openapi.from_url(f"{api.url}/openapi.json", config=config)
        for operation in described.get_all_operations():
            assert isinstance(operation, Ok)

            @settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
            @given(case=operation.ok().as_strategy(GenerationMode.POSITIVE))
            def passes(case: Case[Any]) -> None:
                case.call_and_validate()
                api.after(200)

            passes()
        cluster = api("GET", "/openapi.json").json["components"]["schemas"]["Cluster"]
        assert (
            set(cluster["required"])
            == set(cluster["properties"])
            == {"name", *FIELDS, "status", "errors"} - {"description"}
        )


def test_switches_can_be_turned_meanwhile(tmp_path: Path) -> None:
    """Each request is answered by the switches as they are, and the description with them."""
    with opened(tmp_path) as api:
        put(api)
        api.settle().store.switches = Switches(drop=("description",), busy=(Window("*"),))
        assert "description" not in api.listed()["orders"]
        assert api("PUT", "/cluster/orders", BODY).status == 409
        assert "description" not in api("GET", "/openapi.json").json["components"]["schemas"]["Cluster"]["properties"]
        api.store.switches = Switches()
        assert put(api)["description"] == ""


def test_the_fields_are_those_of_a_body() -> None:
    """Whoever adds one to PUT's body can drop it, too."""
    assert tuple(ClusterBody.model_fields) == FIELDS
    assert set(FIELDS) - set(SCALARS) == {"shard_placements"}


def test_switches_add_up() -> None:
    """Those with a pattern or a field are held side by side; of the others the last counts."""
    switches = Switches.parse(
        ["busy=a:1m", "busy=b", "drop=description", "list-lag=1s", "list-lag=2s", "unavailable=x"]
    )
    assert switches == Switches(
        busy=(Window("a", 60.0), Window("b")), drop=("description",), list_lag_seconds=2.0, unavailable=("x",)
    )
    assert Switches.parse([]) == Switches()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("lag=2s", "'lag=2s' is not a switch: give reveal-placements, drop=FIELD, "),
        ("", "'' is not a switch: give "),
        ("quota", "'quota' is not a switch: give "),
        ("busy=", "'busy=' is not a switch: give "),
        ("failed-statuses=yes", "'failed-statuses=yes' is not a switch: give "),
        ("drop=name", "drop: 'name' is not a field: give one of description, "),
        ("list-lag=2", "list-lag: '2' is not a duration: "),
        ("vanish=a:soon", "vanish: 'soon' is not a duration: "),
        ("updates-listed=never", "updates-listed: 'never' is neither at-once nor settled"),
        ("quota=-1", "quota: '-1' is not a number"),
        ("rewrite=description/a", "rewrite: 'description/a' is not FIELD/REGEX/NEW/, with FIELD one of description, "),
        ("rewrite=name/a/b/", "rewrite: 'name/a/b/' is not FIELD/REGEX/NEW/, "),
        ("rewrite=description/(/b/", "rewrite: 'description/(/b/': missing ), unterminated subpattern"),
        (r"rewrite=description/a/\1/", r"rewrite: 'description/a/\\1/': invalid group reference"),
    ],
)
def test_a_bad_switch_says_what_is_wrong(text: str, why: str) -> None:
    """ValueError, its text fit to be shown."""
    with pytest.raises(ValueError, match=f"^{re.escape(why)}"):
        Switches.parse([text])


def test_help_explains_each_switch_and_fault() -> None:
    """Name, value and meaning, from where they are defined."""
    shown = " ".join(CliRunner().invoke(command, ["--help"], prog_name="reconciler sandbox").output.split())
    for switch in KNOWN:
        assert f"{switch.usage} {switch.help}" in shown
    for fault, what in FAULTS.items():
        assert f"{fault}=RATE {what}" in shown


@pytest.mark.slow
def test_the_command_turns_them(tmp_path: Path) -> None:
    """From its options, or a line each from its variable."""
    lines = "drop=description\nrewrite=node_instance_type/m6g.large/not that one/"
    options = [f"--switch={line}" for line in lines.split("\n")]
    for number, (given_options, variables) in enumerate([(options, {}), ([], {"RECONCILER_SWITCH": lines})]):
        with served(tmp_path / str(number), *given_options, variables=variables) as (_, url):
            held = call(url, "PUT", "/cluster/orders", BODY).json
            assert (held["node_instance_type"], "description" in held) == ("not that one", False)


def test_the_page_explains_each_switch_and_fault() -> None:
    """A row each, and none for what isn't there."""
    page = (Path(__file__).parent.parent.parent / "docs" / "sandbox.md").read_text()
    _, switches, faults = re.split(r"^## \w+$", page, flags=re.MULTILINE)
    named = re.findall(r"^\| `([a-z-]+)", switches, re.MULTILINE)
    assert named == [switch.name for switch in KNOWN]
    rows = re.findall(r"^\| (`[^|]*) \|", faults, re.MULTILINE)
    assert re.findall(r"`([a-z0-9-]+)`", " ".join(rows)) == [*FAULTS, "latency"]
