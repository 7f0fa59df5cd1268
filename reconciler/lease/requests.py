"""The three requests: read the lease, make it, write it if nobody else has since; and whether each is allowed."""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final, Literal, TypeAlias

from reconciler.clock import Clock
from reconciler.errors import Forbidden, HttpError, NotFound, Unauthenticated, Unavailable, Undocumented
from reconciler.lease.in_cluster import ApiServer, LeaseName
from reconciler.lease.record import Record, read_record
from reconciler.model.secret import ApiKey
from reconciler.wire.answer import Answer
from reconciler.wire.client import TransportFactory, open_client
from reconciler.wire.peer import Peer
from reconciler.wire.rate import RateLimit
from reconciler.wire.retry import Policy

Verb: TypeAlias = Literal["get", "create", "update"]
"""What the service account has to be allowed, as Kubernetes calls it."""

POLICY = Policy(connect_timeout=4.0, read_timeout=4.0, attempt_timeout=5.0)
"""Of each request: what hangs leaves time for another before the lease is lost."""

_REVIEWS: Final = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_NOTHING_WRITTEN = frozenset({HTTPStatus.CONFLICT})


class LeaseRequests:
    """One lease at one API server. `keep_secret` is told each token before it is sent.

    Each request has a client of its own: they are seconds apart, the token changes, and a connection that has died
    unnoticed must not cost a lease.
    """

    def __init__(
        self,
        server: ApiServer,
        name: LeaseName,
        clock: Clock,
        *,
        keep_secret: Callable[[ApiKey], None],
        transport: TransportFactory | None = None,
    ) -> None:
        self.name = name
        self._server = server
        self._clock = clock
        self._keep_secret = keep_secret
        self._transport = transport
        self._all = f"/apis/coordination.k8s.io/v1/namespaces/{name.namespace}/leases"
        self._one = f"{self._all}/{name.name}"

    async def read(self) -> Record | None:
        """The lease as it stands; None where there is none. Raises HttpError, CredentialsError."""
        answer = await self._exchange("GET", self._one)
        return None if answer.status == HTTPStatus.NOT_FOUND else self._record(answer)

    async def create(self, body: Mapping[str, Any]) -> Record | None:
        """Make it; None where somebody else has made it. Raises HttpError, CredentialsError."""
        return await self._write("POST", self._all, body)

    async def update(self, body: Mapping[str, Any]) -> Record | None:
        """Write it; None where somebody else has written it. Raises HttpError, CredentialsError."""
        return await self._write("PUT", self._one, body)

    async def allows(self, verb: Verb) -> bool:
        """Whether the service account may do that with the lease, which isn't touched. Raises HttpError."""
        asked = {"group": "coordination.k8s.io", "resource": "leases", "namespace": self.name.namespace, "verb": verb}
        asked |= {"name": self.name.name} if verb != "create" else {}  # what isn't there yet has no name to allow
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": asked},
        }
        answer = await self._exchange("POST", _REVIEWS, json.dumps(body).encode())
        if not answer.is_success:
            raise _status_error(answer, self.name)
        review = answer.value()
        status = review.get("status") if isinstance(review, dict) else None
        if not isinstance(status, dict) or not isinstance(status.get("allowed"), bool):
            raise answer.undocumented("a review that says nothing of what is allowed")
        return bool(status["allowed"])

    async def _write(self, method: str, path: str, body: Mapping[str, Any]) -> Record | None:
        answer = await self._exchange(method, path, json.dumps(body).encode())
        return None if answer.status in _NOTHING_WRITTEN else self._record(answer)

    async def _exchange(self, method: str, path: str, content: bytes | None = None) -> Answer:
        token = self._server.token()
        self._keep_secret(token)
        peer = Peer(
            self._server.address,
            token,
            "KUBERNETES_SERVICE_HOST",
            bearer=True,
            certificates=self._server.certificates,
        )
        async with open_client(peer, POLICY, RateLimit(None, self._clock), self._transport) as client:
            return await client.exchange(method, path, content)

    def _record(self, answer: Answer) -> Record:
        if not answer.is_success:
            raise _status_error(answer, self.name)
        return read_record(answer)


def grant(name: LeaseName) -> str:
    """What to do where the service account may not do all of it."""
    return (
        "let the pod's service account get, create and update leases (apiGroups: [coordination.k8s.io]) "
        f"in namespace {name.namespace}: deploy/kubernetes/rbac.yaml"
    )


def _status_error(answer: Answer, name: LeaseName) -> HttpError:
    status, words = answer.status, answer.words()
    said = f"lease {name}: {answer.method}: {status} {answer.phrase}" + (f": {words}" if words else "")
    match status:
        case HTTPStatus.UNAUTHORIZED:
            remedy = "the service account's token is not this cluster's, or has expired"
            return Unauthenticated(said, remedy=remedy, http_status=status)
        case HTTPStatus.FORBIDDEN:
            return Forbidden(said, remedy=grant(name), http_status=status)
        case HTTPStatus.NOT_FOUND:
            return NotFound(said, remedy=f"is there a namespace {name.namespace}?", http_status=status)
        case HTTPStatus.REQUEST_TIMEOUT | HTTPStatus.TOO_MANY_REQUESTS:
            return Unavailable(said, remedy="wait", http_status=status)
        case _ if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return Unavailable(said, remedy="wait", http_status=status, may_have_reached=True)
    return Undocumented(said, remedy="is this a Kubernetes API server?", http_status=status)
