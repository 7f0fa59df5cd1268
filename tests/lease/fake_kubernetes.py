"""An API server as far as leases go: every request and every answer is as Kubernetes describes it."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from tests.kubernetes import wrong

MICRO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
"""What Go's parser takes for a MicroTime: exactly six digits."""

LEASES = re.compile(r"/apis/coordination\.k8s\.io/v1/namespaces/([a-z0-9-]+)/leases(?:/([a-z0-9.-]+))?")
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
TOKEN = "a-service-accounts-token"


@dataclass
class FakeKubernetes:
    """Its leases by namespace and name. `allowed` are the verbs of the one account that it knows, by its token."""

    namespaces: tuple[str, ...] = ("fleet",)
    allowed: tuple[str, ...] = ("get", "create", "update")
    token: str = TOKEN
    leases: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    written: int = 100

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One exchange, as ASGI has it."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        answer = self.handle(
            request.method, request.url.path, request.headers.get("authorization"), await request.body()
        )
        await answer(scope, receive, send)

    def handle(self, method: str, path: str, authorization: str | None, content: bytes) -> Response:
        """One exchange."""
        if (method, path) == ("POST", REVIEWS):
            return self._review(json.loads(content), authorization)
        found = LEASES.fullmatch(path)
        verb = {"GET": "get", "POST": "create", "PUT": "update"}.get(method)
        if found is None or verb is None or (found[2] is None) != (verb == "create"):
            self.complaints.append(f"{method} {path}")
            return self._status(404, "NotFound", "the server could not find the requested resource")
        self.asked.append(verb)
        if authorization != f"Bearer {self.token}":
            return self._status(401, "Unauthorized", "Unauthorized")
        if verb not in self.allowed:
            said = f'leases.coordination.k8s.io "{found[2]}" is forbidden: User "x" cannot {verb} resource "leases"'
            return self._status(403, "Forbidden", said)
        if verb == "get":
            return self._one((found[1], found[2]))
        body = json.loads(content)
        refused = self._refused(body, found)
        return refused or (
            self._create(found[1], body) if verb == "create" else self._update((found[1], found[2]), body)
        )

    def _review(self, body: dict[str, Any], authorization: str | None) -> Response:
        """Whether the account may do that; what isn't a lease of a namespace nobody may touch."""
        if authorization != f"Bearer {self.token}":
            return self._status(401, "Unauthorized", "Unauthorized")
        problems = wrong("SelfSubjectAccessReview", body)
        if problems:
            self.complaints += problems
            return self._status(422, "Invalid", "; ".join(problems))
        asked = body["spec"]["resourceAttributes"]
        of_a_lease = (asked["group"], asked["resource"]) == ("coordination.k8s.io", "leases") and asked["namespace"]
        answer = {**body, "status": {"allowed": bool(of_a_lease) and asked["verb"] in self.allowed}}
        assert wrong("SelfSubjectAccessReview", answer) == []
        return JSONResponse(answer, 201)

    def edit(self, namespace: str, name: str, **labels: str) -> None:
        """Label a lease, as somebody does by hand."""
        self.leases[namespace, name]["metadata"]["labels"] = labels
        self._stamp(self.leases[namespace, name])

    def holder(self, name: str = "reconciler", namespace: str = "fleet") -> str | None:
        """Who holds a lease; None where nobody does."""
        lease = self.leases.get((namespace, name))
        return None if lease is None else lease["spec"].get("holderIdentity")

    def _refused(self, body: dict[str, Any], found: re.Match[str]) -> Response | None:
        """What an API server's strict decoding and validation refuse, and so would be our mistake."""
        problems = wrong("Lease", body)
        spec, metadata = body.get("spec", {}), body.get("metadata", {})
        times = [spec[name] for name in ("acquireTime", "renewTime") if name in spec]
        problems += [f"{time} is no MicroTime" for time in times if not MICRO_TIME.fullmatch(time)]
        if not spec.get("leaseDurationSeconds", 1) > 0 or spec.get("leaseTransitions", 0) < 0:
            problems.append("a duration is above 0, and transitions are not below")
        if metadata.get("namespace") != found[1] or (found[2] or metadata.get("name")) != metadata.get("name"):
            problems.append("the object is not the one of the address")
        if not problems:
            return None
        self.complaints += problems
        return self._status(422, "Invalid", "; ".join(problems))

    def _one(self, key: tuple[str, str]) -> Response:
        lease = self.leases.get(key)
        if lease is None:
            return self._status(404, "NotFound", f'leases.coordination.k8s.io "{key[1]}" not found')
        return self._lease(200, lease)

    def _create(self, namespace: str, body: dict[str, Any]) -> Response:
        key = (namespace, body["metadata"]["name"])
        if namespace not in self.namespaces:
            return self._status(404, "NotFound", f'namespaces "{namespace}" not found')
        if key in self.leases:
            return self._status(409, "AlreadyExists", f'leases.coordination.k8s.io "{key[1]}" already exists')
        body["metadata"] |= {"uid": f"u-{self.written}", "creationTimestamp": "2027-01-15T08:00:00Z"}
        self.leases[key] = body
        self._stamp(body)
        return self._lease(201, body)

    def _update(self, key: tuple[str, str], body: dict[str, Any]) -> Response:
        lease = self.leases.get(key)
        if lease is None:
            return self._one(key)
        if body["metadata"].get("resourceVersion") != lease["metadata"]["resourceVersion"]:
            return self._status(
                409, "Conflict", "the object has been modified; please apply your changes to the latest"
            )
        self.leases[key] = body
        self._stamp(body)
        return self._lease(200, body)

    def _stamp(self, body: dict[str, Any]) -> None:
        self.written += 1
        body["metadata"]["resourceVersion"] = str(self.written)

    def _lease(self, status: int, body: dict[str, Any]) -> Response:
        assert wrong("Lease", body) == []
        return JSONResponse(body, status)

    @staticmethod
    def _status(code: int, reason: str, message: str) -> Response:
        body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code}
        body |= {"reason": reason, "message": message}
        assert wrong("Status", body) == []
        return JSONResponse(body, code)
