"""The routes of the API document, as an ASGI application.

Whose clusters a request sees follows from its path and its key: `/cluster` is the account `default`,
`/accounts/{account}/cluster` are others, and on each of them `sandbox-admin:NAME` has clusters of its own.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from reconciler.sandbox.lifecycle import Busy, Refused
from reconciler.sandbox.model import NAME, ClusterBody, contradictions
from reconciler.sandbox.openapi import description
from reconciler.sandbox.store import Absent, Store

DEFAULT_ACCOUNT = "default"
ADMIN_KEY, READONLY_KEY, EXPIRED_KEY = "sandbox-admin", "sandbox-readonly", "sandbox-expired"
LARGEST_BODY = 1024 * 1024

Observer: TypeAlias = Callable[[str, str, int], None]
"""Told of every answer: method, path, status."""


def create_app(store: Store, *, observer: Observer | None = None) -> Starlette:
    """The control plane over a store."""
    api = _Api(store, observer)
    routes = [
        Route("/cluster", api.list_clusters, methods=["GET"]),
        Route("/cluster/{name:anything}", api.change_cluster, methods=["PUT", "DELETE"]),
    ]
    return Starlette(
        routes=[
            *routes,
            Mount("/accounts/{account}", routes=routes),
            Route("/openapi.json", api.describe, methods=["GET"]),
        ],
        exception_handlers={HTTPException: api.refuse, Exception: api.fail},
    )


class _Anything(PathConvertor):
    """All that follows: `path` stops before a newline, and would take `orders%0A` for `orders`."""

    regex = r"[\s\S]*"


register_url_convertor("anything", _Anything())


class _Api:
    def __init__(self, store: Store, observer: Observer | None) -> None:
        self._store = store
        self._observer = observer

    async def list_clusters(self, request: Request) -> Response:
        account = _authorized(request, write=False)
        return self._answer(request, JSONResponse(self._store.clusters(account)))

    async def change_cluster(self, request: Request) -> Response:
        account, name = _authorized(request, write=True), _name(request)
        try:
            if request.method == "DELETE":
                self._store.delete(account, name)
                return self._answer(request, Response(status_code=204))
            cluster = self._store.put(account, name, await _body(request))
            return self._answer(request, JSONResponse(cluster))
        except Refused as error:
            raise HTTPException(400, f"Invalid cluster configuration: {error}") from error
        except Absent as error:
            raise HTTPException(404, str(error)) from error
        except Busy as error:
            raise HTTPException(409, str(error)) from error

    async def describe(self, _request: Request) -> Response:
        return JSONResponse(description(self._store.switches))

    async def refuse(self, request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        response = JSONResponse({"message": error.detail}, error.status_code, error.headers)
        return self._answer(request, response)

    async def fail(self, request: Request, _error: Exception) -> Response:
        return self._answer(request, JSONResponse({"message": "Internal Server Error"}, 500))

    def _answer(self, request: Request, response: Response) -> Response:
        if self._observer is not None:
            self._observer(request.method, request.url.path, response.status_code)
        return response


def _name(request: Request) -> str:
    name: str = request.path_params["name"]
    if not NAME.fullmatch(name):
        raise HTTPException(400, "Invalid cluster configuration: the cluster's name is not a URL-safe string")
    return name


def _authorized(request: Request, *, write: bool) -> str:
    """The account that the request's path and key lead to; 401 or 403 where the key doesn't do."""
    key, colon, owner = request.headers.get("authorization", "").partition(":")
    if key == EXPIRED_KEY:
        raise HTTPException(401, "Unauthorized: the API key has expired")
    if key not in {ADMIN_KEY, READONLY_KEY} or (colon and not NAME.fullmatch(owner)):
        raise HTTPException(401, "Unauthorized: the API key is invalid")
    if write and key != ADMIN_KEY:
        raise HTTPException(403, "Forbidden: the API key does not grant the required access")
    account: str = request.path_params.get("account", DEFAULT_ACCOUNT)
    return f"{account}/{owner}" if owner else account  # no segment of a path has a slash in it


async def _body(request: Request) -> ClusterBody:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(400, "Invalid cluster configuration: Content-Type must be application/json")
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > LARGEST_BODY:
            raise HTTPException(400, "Invalid cluster configuration: the body is too large")
    try:
        body = ClusterBody.model_validate_json(bytes(data))
    except ValidationError as error:
        first: Any = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(key) for key in first["loc"]) or "the body"
        raise HTTPException(400, f"Invalid cluster configuration: {where}: {first['msg']}") from error
    for contradiction in contradictions(body):
        raise HTTPException(400, f"Invalid cluster configuration: {contradiction}")
    return body
