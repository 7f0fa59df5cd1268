"""The three requests over TLS, as a pod sends them; where a pod is, and who."""

import asyncio
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.errors import CredentialsError, Unauthenticated, Undocumented, Untrusted, UsageError
from reconciler.lease.in_cluster import ApiServer, LeaseName, api_server, lease_name
from reconciler.lease.record import claim, read_record, renewal, surrender
from reconciler.lease.requests import LeaseRequests
from reconciler.model.secret import ApiKey
from reconciler.wire.answer import Answer
from reconciler.wire.peer import Peer
from tests.lease.fake_kubernetes import TOKEN, FakeKubernetes
from tests.lease.served import Served, served

NAME = LeaseName("fleet", "reconciler")
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates")


@pytest.fixture
def kubernetes() -> FakeKubernetes:
    """A cluster."""
    return FakeKubernetes()


@pytest.fixture
def pod(kubernetes: FakeKubernetes, tmp_path: Path) -> Iterator[Served]:
    """What a pod of it finds."""
    with served(kubernetes, tmp_path / "account") as found:
        yield found


def requests(pod: Served, secrets: list[ApiKey] | None = None) -> LeaseRequests:
    """As that pod."""
    told = secrets if secrets is not None else []
    return LeaseRequests(api_server(pod.environment), NAME, SystemClock(), keep_secret=told.append)


@pytest.mark.slow
@needs_openssl
def test_a_lease_is_made_written_and_given_back(pod: Served, kubernetes: FakeKubernetes) -> None:
    """What somebody else wrote first is written by nobody; what others keep in it stays."""

    async def play() -> None:
        asked = requests(pod)
        assert await asked.read() is None
        made = await asked.create(claim(None, NAME, "a", 90, 1_800_000_000.25))
        assert made is not None
        assert await asked.create(claim(None, NAME, "b", 90, 1_800_000_000)) is None
        kubernetes.edit("fleet", "reconciler", team="caching")
        assert await asked.update(renewal(made, 1_800_000_001)) is None
        current = await asked.read()
        assert current is not None
        renewed = await asked.update(renewal(current, 1_800_000_010))
        assert renewed is not None
        released = await asked.update(surrender(renewed, 1_800_000_020))
        assert released is not None
        assert (renewed.holder, renewed.seconds, released.holder) == ("a", 90, None)
        taken = await asked.update(claim(released, NAME, "b", 90, 1_800_000_030))
        assert taken is not None

    asyncio.run(play())
    assert kubernetes.complaints == []
    lease = kubernetes.leases["fleet", "reconciler"]
    assert lease["metadata"]["labels"] == {"team": "caching"}
    assert lease["spec"] == {
        "holderIdentity": "b",
        "leaseDurationSeconds": 90,
        "acquireTime": "2027-01-15T08:00:30.000000Z",
        "renewTime": "2027-01-15T08:00:30.000000Z",
        "leaseTransitions": 1,
    }


@pytest.mark.slow
@needs_openssl
def test_the_token_is_the_one_that_is_there_now(pod: Served, kubernetes: FakeKubernetes) -> None:
    """It is replaced within the hour; each is kept out of what is shown before it is sent."""
    secrets: list[ApiKey] = []
    asked = requests(pod, secrets)
    assert asyncio.run(asked.read()) is None
    kubernetes.token = "another-token"
    with pytest.raises(Unauthenticated) as raised:
        asyncio.run(asked.read())
    assert TOKEN not in raised.value.message
    pod.token_file.write_text("another-token")
    assert asyncio.run(asked.read()) is None
    assert secrets == [ApiKey(TOKEN), ApiKey(TOKEN), ApiKey("another-token")]
    for text, why in (
        ("x" * 100_000, "is none"),
        ("", "is none"),
        ("two lines\nof it", "is none"),
        (None, "can't be read"),
    ):
        pod.token_file.unlink() if text is None else pod.token_file.write_text(text)
        with pytest.raises(CredentialsError, match=why):
            asyncio.run(asked.read())


@pytest.mark.parametrize("odd", ["pipe", "device", "folder"])
def test_what_stands_where_the_token_belongs_holds_nothing_up(tmp_path: Path, odd: str) -> None:
    """A pipe that nobody writes into would be waited for without an end, a device read without one."""
    file = tmp_path / "token"
    match odd:
        case "pipe":
            os.mkfifo(file)
        case "device":
            file.symlink_to("/dev/zero")
        case _:
            file.mkdir()
    with pytest.raises(CredentialsError, match="is none"):
        ApiServer("https://127.0.0.1:1", "", file).token()


@pytest.mark.slow
@needs_openssl
def test_nobody_is_trusted_but_the_cluster(pod: Served, tmp_path: Path) -> None:
    """Its own authority, in place of all others: another's certificate gets no token."""
    from tests.certificates import make_certificate

    (tmp_path / "other").mkdir()
    other = make_certificate(tmp_path / "other")
    Path(pod.token_file.with_name("ca.crt")).write_bytes(other.read_bytes())
    with pytest.raises(Untrusted):
        asyncio.run(requests(pod).read())


@pytest.mark.parametrize(
    "spec",
    [
        [1],
        {"holderIdentity": 3},
        {"leaseDurationSeconds": "90"},
        {"leaseDurationSeconds": True},
        {"leaseTransitions": "7"},
        {"leaseTransitions": [7]},
    ],
)
def test_a_lease_that_is_none_is_told_and_taken_by_nobody(spec: object) -> None:
    """Whatever of it is read, by whoever is asked: it never is what breaks this program."""
    body = json.dumps({"metadata": {"resourceVersion": "1"}, "spec": spec}).encode()
    peer = Peer("https://127.0.0.1", ApiKey(TOKEN), "x")
    with pytest.raises(Undocumented):
        read_record(Answer(peer, "GET", "", "GET /", 200, {}, body))


def test_a_lease_is_named_by_namespace_and_name() -> None:
    """As Kubernetes writes names; nothing of it can leave its place in an address."""
    assert lease_name("fleet/reconciler.eu") == ("fleet", "reconciler.eu")
    for text in ("reconciler", "fleet/", "/x", "a/b/c", "Fleet/x", "fleet/../secrets", "fleet/x?y", "f.x/y", ""):
        with pytest.raises(UsageError, match="names no lease"):
            lease_name(text)


def test_outside_a_cluster_there_is_none() -> None:
    """Bad usage, with what to do; an address of IPv6 is written as such."""
    with pytest.raises(UsageError, match="for a pod of a Kubernetes cluster") as raised:
        api_server({})
    assert raised.value.remedy == "run it in a cluster; or leave --lease out, and run one replica"
    for host, port in (("x", "443/y"), ("x", "65536"), ("x", "\uff11"), ("a@b", "443"), ("[", "443"), ("a/b", "443")):
        with pytest.raises(UsageError, match="are no host and no port"):
            api_server({"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port})
    found = api_server({"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"})
    assert found.address == "https://[fd00::1]:443"
    assert found.certificates == "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"
