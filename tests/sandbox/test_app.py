"""The sandbox held against the API's document, over real HTTP on loopback."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.sandbox.server import embedded
from reconciler.sandbox.store import Store
from tests.fakes import FakeClock
from tests.sandbox.calls import BODY, JSON, call
from tests.sandbox.service import Api, opened

PLACED = {"shard_index": 0, "availability_zone": "us-east-1a", "replica_availability_zones": ["us-east-1b"]}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with opened(tmp_path) as api:
        yield api


def test_put_answers_as_the_document_shows(api: Api) -> None:
    """The document's request gives the document's response, field for field; fewer placements than shards will do."""
    asked = {
        "description": "My production cluster",
        "node_instance_type": "m6g.large",
        "shard_count": 3,
        "replication_factor": 2,
        "enforce_shard_multi_az": True,
        "shard_placements": [
            {
                "shard_index": 0,
                "availability_zone": "us-east-1a",
                "replica_availability_zones": ["us-east-1b", "us-east-1c"],
            }
        ],
    }
    answer = api("PUT", "/cluster/my-cluster", asked)
    assert (answer.status, answer.json) == (200, {"name": "my-cluster", **asked, "status": "Creating", "errors": []})
    assert list(answer.json) == ["name", *asked, "status", "errors"]


def test_the_documents_examples_in_their_order(api: Api) -> None:
    """Create, place, list and delete, as the document's reader would with curl."""
    created = {
        "description": "Production cluster",
        "node_instance_type": "m6g.large",
        "shard_count": 3,
        "replication_factor": 2,
        "enforce_shard_multi_az": True,
    }
    placed = {
        "description": "Production cluster with custom placement",
        "node_instance_type": "m6g.large",
        "shard_count": 2,
        "replication_factor": 2,
        "enforce_shard_multi_az": True,
        "shard_placements": [
            {
                "shard_index": 0,
                "availability_zone": "us-east-1a",
                "replica_availability_zones": ["us-east-1b", "us-east-1c"],
            },
            {
                "shard_index": 1,
                "availability_zone": "us-east-1b",
                "replica_availability_zones": ["us-east-1a", "us-east-1c"],
            },
        ],
    }
    rest = {"shard_placements": [], "status": "Creating", "errors": []}
    answer = api("PUT", "/cluster/my-cluster", created)
    assert (answer.status, answer.json) == (200, {"name": "my-cluster", **created, **rest})
    api.settle()
    answer = api("PUT", "/cluster/my-cluster", placed)
    assert (answer.status, answer.json) == (200, {"name": "my-cluster", **placed, "status": "Updating", "errors": []})
    api.settle()
    answer = api("GET", "/cluster", headers={})
    assert (answer.status, answer.json) == (200, [{"name": "my-cluster", **placed, "status": "Active", "errors": []}])
    answer = api("DELETE", "/cluster/my-cluster", headers={})
    assert (answer.status, answer.body, answer.headers.keys() & {"content-type", "content-length"}) == (204, b"", set())
    assert api.listed()["my-cluster"]["status"] == "Deleting"
    api.settle()
    assert api("GET", "/cluster").json == []


def test_list_answers_as_the_document_shows(api: Api) -> None:
    """The document's list, field for field."""
    shown = [
        {
            "name": "my-cluster",
            "description": "My production cluster",
            "node_instance_type": "m6g.large",
            "shard_count": 3,
            "replication_factor": 2,
            "enforce_shard_multi_az": True,
            "shard_placements": [],
            "status": "Active",
            "errors": [],
        },
        {
            "name": "dev-cluster",
            "description": "Development cluster",
            "node_instance_type": "t4g.small",
            "shard_count": 1,
            "replication_factor": 1,
            "enforce_shard_multi_az": False,
            "shard_placements": [],
            "status": "Active",
            "errors": [],
        },
    ]
    for cluster in shown:
        body = {field: value for field, value in cluster.items() if field not in {"name", "status", "errors"}}
        assert api("PUT", f"/cluster/{cluster['name']}", body).status == 200
    api.settle()
    assert sorted(api("GET", "/cluster").json, key=shown.index) == shown


def test_an_invalid_body_is_refused_and_says_why(api: Api) -> None:
    """400 `Invalid cluster configuration` and the first reason; nothing is kept."""
    one_replica = {"replication_factor": 1}
    cases: list[tuple[dict[str, Any], str]] = [
        ({"node_instance_type": ...}, "node_instance_type: Field required"),
        ({"shard_count": ...}, "shard_count: Field required"),
        ({"replication_factor": ...}, "replication_factor: Field required"),
        ({"enforce_shard_multi_az": ...}, "enforce_shard_multi_az: Field required"),
        ({"description": None}, "description: Input should be a valid string"),
        ({"shard_count": "3"}, "shard_count: Input should be a valid integer"),
        ({"shard_count": True}, "shard_count: Input should be a valid integer"),
        ({"shard_count": 0}, "shard_count: Input should be greater than or equal to 1"),
        ({"replication_factor": -1}, "replication_factor: Input should be greater than or equal to 0"),
        ({"enforce_shard_multi_az": 1}, "enforce_shard_multi_az: Input should be a valid boolean"),
        ({"enforce_shard_multi_az": True}, "enforce_shard_multi_az needs a replication_factor of at least 1"),
        ({"name": "x"}, "name: Extra inputs are not permitted"),
        ({"shard_placements": [{}]}, "shard_placements.0.shard_index: Field required"),
        ({"shard_placements": [PLACED]}, "shard 0 needs 0 replica_availability_zones"),
        ({**one_replica, "shard_placements": [PLACED] * 2}, "shard_placements names a shard twice"),
        ({**one_replica, "shard_placements": [{**PLACED, "shard_index": 1}]}, "shard_placements names shard 1 of 1"),
        (
            {
                **one_replica,
                "enforce_shard_multi_az": True,
                "shard_placements": [{**PLACED, "availability_zone": "us-east-1b"}],
            },
            "shard 0 lives in one zone",
        ),
    ]
    for change, why in cases:
        body = {field: value for field, value in {**BODY, **change}.items() if value is not ...}
        assert api("PUT", "/cluster/orders", body).told == (400, f"Invalid cluster configuration: {why}")
    assert api.listed() == {}


def test_a_body_that_is_no_json_object_is_refused(api: Api) -> None:
    """400 for whatever bytes come, half a surrogate among them; nothing is kept."""
    for body in (b"", b"null", b"[]", b"{", b"\xff", b"[" * 100_000, b"9" * 10_000, b" " * 2**21):
        status, message = api("PUT", "/cluster/orders", body).told
        assert (status, message.partition(":")[0]) == (400, "Invalid cluster configuration")
    assert api("PUT", "/cluster/orders", {**BODY, "description": "\ud800"}).status == 400
    assert api.listed() == {}


def test_the_content_type_must_be_json(api: Api) -> None:
    """`application/json`, with or without parameters; curl's own default is refused."""
    refused = (400, "Invalid cluster configuration: Content-Type must be application/json")
    for headers in ({}, {"Content-Type": "application/x-www-form-urlencoded"}, {"Content-Type": "text/json"}):
        assert api("PUT", "/cluster/orders", BODY, headers=headers).told == refused
    accepted = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert api("PUT", "/cluster/orders", BODY, headers=accepted).status == 200


def test_what_may_be_left_out_has_a_value_all_the_same(api: Api) -> None:
    """`description` and `shard_placements` are optional, and always answered."""
    assert api("PUT", "/cluster/orders", BODY).json == {
        "name": "orders",
        "description": "",
        **BODY,
        "shard_placements": [],
        "status": "Creating",
        "errors": [],
    }


def test_only_the_admin_writes(api: Api) -> None:
    """No key, a wrong and an expired one: 401 for all; the read-only one lists, and gets 403 for writes."""
    api("PUT", "/cluster/orders", BODY)
    api.settle()
    cases = [
        (None, (401, "Unauthorized: the API key is invalid")),
        ("", (401, "Unauthorized: the API key is invalid")),
        ("somebody-elses", (401, "Unauthorized: the API key is invalid")),
        ("sandbox-admin:", (401, "Unauthorized: the API key is invalid")),
        ("sandbox-admin:a/b", (401, "Unauthorized: the API key is invalid")),
        ("sandbox-writer:staging", (401, "Unauthorized: the API key is invalid")),
        ("sandbox-expired", (401, "Unauthorized: the API key has expired")),
        ("sandbox-expired:staging", (401, "Unauthorized: the API key has expired")),
        ("sandbox-readonly:staging", (403, "Forbidden: the API key does not grant the required access")),
        ("sandbox-readonly", (403, "Forbidden: the API key does not grant the required access")),
    ]
    for key, told in cases:
        for method, path in (("PUT", "/cluster/orders"), ("PUT", "/cluster/new"), ("DELETE", "/cluster/orders")):
            assert api(method, path, b"not even JSON", key=key, headers={}).told == told
        listed = api("GET", "/cluster", key=key)
        assert listed.status == 200 if (key or "").startswith("sandbox-readonly") else listed.told == told
    assert [(name, cluster["status"]) for name, cluster in api.listed().items()] == [("orders", "Active")]


def test_what_cannot_be_done_now_says_why(api: Api) -> None:
    """404 for what isn't there, 409 in transition, 400 for a primary that would move; nothing changes."""
    placed = {**BODY, "replication_factor": 1, "shard_placements": [PLACED]}
    moved = {**placed, "shard_placements": [{**PLACED, "availability_zone": "us-east-1c"}]}
    assert api("DELETE", "/cluster/orders").told == (404, "Cluster orders does not exist")
    api("PUT", "/cluster/orders", placed)
    assert api("PUT", "/cluster/orders", BODY).told == (409, "Cluster orders is Creating")
    assert api("DELETE", "/cluster/orders").told == (409, "Cluster orders is Creating")
    api.settle()
    assert api("PUT", "/cluster/orders", moved).told == (
        400,
        "Invalid cluster configuration: the primary of shard 0 can't be moved out of us-east-1a",
    )
    assert api.listed()["orders"]["status"] == "Active"
    assert [api("DELETE", "/cluster/orders").status for _ in range(2)] == [204, 204]
    assert api("PUT", "/cluster/orders", BODY).told == (409, "Cluster orders is Deleting")


def test_names_are_url_safe_and_routes_are_the_documents(api: Api) -> None:
    """Any other name is 400, any other path 404, any other method 405 with the ones that there are."""
    for name in ("a", "Az09._~-", "x" * 255, "%61b"):
        assert api("PUT", f"/cluster/{name}", BODY).status == 200
    assert api.listed().keys() == {"a", "Az09._~-", "x" * 255, "ab"}
    for name in ("", ".", "..", "a/b", "a%2Fb", "a%0A", "a%0Ab", "%C3%A9", "a%20b", "x" * 256):
        for method in ("PUT", "DELETE"):
            assert api(method, f"/cluster/{name}", BODY).told == (
                400,
                "Invalid cluster configuration: the cluster's name is not a URL-safe string",
            )
    assert api("GET", "/clusters").told == (404, "Not Found")
    for method, path, allowed in (("GET", "/cluster/a", {"PUT", "DELETE"}), ("POST", "/cluster", {"GET", "HEAD"})):
        answer = api(method, path)
        assert (answer.told, set(answer.headers["allow"].split(", "))) == ((405, "Method Not Allowed"), allowed)


def test_accounts_are_separate(tmp_path: Path) -> None:
    """The same name in two accounts is two clusters; `/cluster` is the account `default`."""
    answers: list[str] = []
    store = Store(str(tmp_path / "s.db"), clock=FakeClock())
    with embedded(
        store, ["east", "default"], observer=lambda method, path, status: answers.append(f"{method} {path} {status}")
    ) as urls:
        assert call(urls["east"], "PUT", "/cluster/orders", BODY).status == 200
        assert call(urls["default"], "GET", "/cluster").json == []
        call(urls["default"], "PUT", "/cluster/orders", {**BODY, "shard_count": 2})
        root = urls["default"].removesuffix("/accounts/default")
        assert [cluster["shard_count"] for cluster in call(root, "GET", "/cluster", headers=JSON).json] == [2]
        assert [cluster["shard_count"] for cluster in call(urls["east"], "GET", "/cluster").json] == [1]
        call(root, "GET", "/cluster", key=None)
    store.close()
    assert answers[0] == "PUT /accounts/east/cluster/orders 200"
    assert answers[-1] == "GET /cluster 401"


def test_keys_with_a_name_have_clusters_of_their_own(api: Api) -> None:
    """On one endpoint: an account sees nothing of another's, whether its key may write or not, on any path."""
    staging, prod = {"key": "sandbox-admin:staging"}, {"key": "sandbox-admin:prod"}
    for shards, key in enumerate((staging, prod, {}), start=1):
        assert api("PUT", "/cluster/orders", {**BODY, "shard_count": shards}, **key).status == 200
    api("PUT", "/accounts/staging/cluster/users", BODY)
    api.settle()("DELETE", "/cluster/orders", **prod)

    def listed(key: str, path: str = "/cluster") -> list[tuple[str, int, str]]:
        return [(c["name"], c["shard_count"], c["status"]) for c in api("GET", path, key=key).json]

    for role in ("admin", "readonly"):
        assert listed(f"sandbox-{role}:staging") == [("orders", 1, "Active")]
        assert listed(f"sandbox-{role}:prod") == [("orders", 2, "Deleting")]
        assert listed(f"sandbox-{role}") == [("orders", 3, "Active")]
        assert listed(f"sandbox-{role}:nobody") == []
        assert listed(f"sandbox-{role}", "/accounts/staging/cluster") == [("users", 1, "Active")]
        assert listed(f"sandbox-{role}:staging", "/accounts/staging/cluster") == []
