"""The routes, and who is answered: GET and HEAD alone; nothing can be changed, and nobody on the way keeps a copy."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, NamedTuple

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.model.secret import ApiKey
from reconciler.report.json_text import json_text
from reconciler.serve.address import carries, is_for_this_machine
from reconciler.serve.document import dump_state, state_schema
from reconciler.serve.metrics import metrics_text
from reconciler.serve.page import CONTENT_SECURITY_POLICY, render_page
from reconciler.serve.picture import Picture

OPEN: Final = frozenset({"/healthz", "/readyz"})
"""What a probe may ask without a token: no name stands there."""

_HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Shown(NamedTuple):
    """What is shown, and how it is kept clean: `clean` takes secrets out of a text, `clean_document` out of JSON."""

    picture: Callable[[], Picture]
    now: Callable[[], float]
    clean: Callable[[str], str]
    clean_document: Callable[[str], str]


def create_app(shown: Shown, *, token: ApiKey | None, loopback: bool) -> ASGIApp:
    """The application. Without a token it answers whoever reaches it: that has to be this machine alone."""

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_request: Request) -> Response:
        picture = shown.picture()
        reasons = picture.unready(shown.now())
        if reasons:
            return PlainTextResponse("".join(f"{why}\n" for why in reasons), 503)
        return PlainTextResponse("ready\n" if picture.lease is None else "waiting for the lease\n")

    async def metrics(_request: Request) -> Response:
        text = shown.clean(metrics_text(shown.picture).decode())
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    async def state(_request: Request) -> Response:
        return _json(shown.clean_document(json_text(dump_state(shown.picture(), shown.now()))))

    async def schema(_request: Request) -> Response:
        return _json(json_text(state_schema()))

    async def page(_request: Request) -> Response:
        return Response(render_page(shown.picture(), shown.now(), shown.clean), media_type="text/html; charset=utf-8")

    routes: Mapping[str, Callable[[Request], Awaitable[Response]]] = {
        "/": page,
        "/healthz": healthz,
        "/readyz": readyz,
        "/metrics": metrics,
        "/api/state": state,
        "/api/schema": schema,
    }
    app = Starlette(routes=[Route(path, served) for path, served in routes.items()])
    app.router.redirect_slashes = False
    return _Guarded(app, token, loopback=loopback)


def _json(text: str) -> Response:
    return Response(text, media_type="application/json")


class _Guarded:
    """Answers those that may ask, and puts the same headers on every answer."""

    def __init__(self, app: ASGIApp, token: ApiKey | None, *, loopback: bool) -> None:
        self._app = app
        self._token = token
        self._loopback = loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        app: ASGIApp = self._refusal(scope) or self._app
        await app(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if self._loopback and not is_for_this_machine(headers.get("host", "")):
            return PlainTextResponse("this is answered as localhost alone\n", 421)
        if self._token is None or scope["path"] in OPEN or carries(self._token, headers.get("authorization", "")):
            return None
        challenge: dict[str, Any] = {"WWW-Authenticate": 'Basic realm="reconciler", charset="UTF-8"'}
        return PlainTextResponse(
            "a token is needed: as Bearer, or as the password of any user\n", 401, headers=challenge
        )
