"""What a request asks for: its method, target and headers become one intent, or a refusal (protocol A, B.1, B.4, C.4).

Nothing here knows which names are in use; that is the rendezvous'.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hoody_pipe.core import messages
from hoody_pipe.core.forwarding import Forwarded, boundary_of
from hoody_pipe.core.limits import Limits
from hoody_pipe.core.names import PAGES, resolve
from hoody_pipe.core.params import EMPTY, Params
from hoody_pipe.errors import Refused

METHODS_HINT = " Use GET, POST, or PUT."


@dataclass(frozen=True, slots=True)
class Send:
    """A sender for a pipe."""

    name: str
    n: int
    wait: float
    require_any: bool
    sha256: bool
    transfer: str | None
    size: int | None
    forwarded: Forwarded
    boundary: str | None = None  # when the body is a form
    quiet: bool | None = None  # whether to answer only when the outcome is known; None: the sender does not say
    proxied: bool = False


PROXY_FIELDS = ("forwarded", "x-forwarded-for", "via")


@dataclass(frozen=True, slots=True)
class Receive:
    """A receiver for a pipe; `params` shape its Content-Disposition."""

    name: str
    n: int
    wait: float
    sha256: bool
    params: Params
    proxied: bool = False


@dataclass(frozen=True, slots=True)
class Status:
    """A question about a name: how it stands, how its last transfer ended, or how one with an id did."""

    name: str
    transfer: str | None
    last: bool


@dataclass(frozen=True, slots=True)
class Watch:
    """A spectator of a name; `as_page` for a browser, whose page then watches by itself."""

    name: str
    as_page: bool = False


@dataclass(frozen=True, slots=True)
class Preflight:
    """A CORS preflight (protocol B.8); `for_pipes` unless it asks about a page of figures."""

    methods: str
    for_pipes: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    """A reserved page, by its canonical path."""

    path: str


Intent = Send | Receive | Status | Watch | Preflight | Page


def admit(method: str, target: str, headers: Mapping[str, str], limits: Limits) -> Intent:
    """Say what a request asks for.

    Raises:
        Refused: with the status and line that answer it.
    """
    path, _, query = target.partition("?")
    place = resolve(path, limits.name)
    params = Params.parse(query) if query else EMPTY
    if place.reserved:
        return _reserved(method, place.name, params)
    if method in ("PUT", "POST"):
        return _send(place.name, params, headers, limits)
    if method in ("GET", "HEAD") and params.has("status"):
        return _status(place.name, params)
    if method == "GET":
        return _get(place.name, params, headers, limits)
    if method == "OPTIONS":
        return Preflight(_methods(params))
    raise Refused(405, messages.method_not_allowed(method, METHODS_HINT), _methods(params))


def _methods(params: Params) -> str:
    return "GET, HEAD, POST, PUT, OPTIONS" if params.has("status") else "GET, POST, PUT, OPTIONS"


def _reserved(method: str, path: str, params: Params) -> Intent:
    if method in ("GET", "HEAD"):
        return Page(path)
    if method == "OPTIONS":
        if path not in PAGES:
            return Preflight("GET, HEAD, OPTIONS", for_pipes=False)
        return Preflight(_methods(params))
    if method in ("PUT", "POST") and path in PAGES:
        raise Refused(400, messages.reserved(path))
    raise Refused(405, messages.method_not_allowed(method), "GET, HEAD, OPTIONS")


def _send(name: str, params: Params, headers: Mapping[str, str], limits: Limits) -> Send:
    _refuse_live_pair(params)
    if "content-range" in headers:
        raise Refused(400, messages.CONTENT_RANGE)
    _refuse_service_worker(headers)
    boundary = boundary_of(headers.get("content-type"))
    if params.has("live"):
        if boundary is not None:
            raise Refused(400, messages.FORM_WITH_LIVE)
        raise Refused(501, messages.not_yet("?live"))
    return Send(
        name,
        params.receivers(limits.receivers),
        params.wait(limits.wait, limits.longest_wait),
        params.require_any(),
        params.has("sha256"),
        params.transfer(messages.INVALID_TRANSFER),
        params.size(),
        Forwarded.of(dict(headers), limits, boundary is not None),
        boundary,
        quiet=True if params.has("quiet") else False if params.is_off("quiet") else None,
        proxied=is_proxied(headers),
    )


def _status(name: str, params: Params) -> Status:
    transfer = params.transfer(messages.INVALID_TRANSFER_ID)
    if transfer is not None and params.has("ws"):
        raise Refused(400, messages.TRANSFER_WITH_WS)
    return Status(name, transfer, params.has("last"))


def _get(name: str, params: Params, headers: Mapping[str, str], limits: Limits) -> Receive | Watch:
    _refuse_live_pair(params)
    _refuse_service_worker(headers)
    if params:
        accept = headers.get("accept", "").lower()
        is_browser = "text/html" in accept
        if params.has("progress"):
            return Watch(name, as_page=is_browser and "text/event-stream" not in accept)
        _refuse_features(params, is_browser)
    return Receive(
        name,
        params.receivers(limits.receivers),
        params.wait(limits.wait, limits.longest_wait),
        params.has("sha256"),
        params,
        is_proxied(headers),
    )


def _refuse_features(params: Params, is_browser: bool) -> None:
    """Say of what is not there yet that it is not, so that it never takes a receiver's slot instead."""
    for flag in ("video", "share", "receive"):
        if params.has(flag) and is_browser:
            raise Refused(501, messages.not_yet("?" + flag))
    if params.has("ws"):
        raise Refused(501, messages.NO_WEBSOCKET)
    if params.has("live"):
        raise Refused(501, messages.not_yet("?live"))


def _refuse_live_pair(params: Params) -> None:
    if params.has("live") and params.has("ws"):
        raise Refused(400, messages.LIVE_WITH_WS)


def is_proxied(headers: Mapping[str, str]) -> bool:
    """Whether the request came through a proxy that says so (protocol Z.4)."""
    return any(field in headers for field in PROXY_FIELDS)


def _refuse_service_worker(headers: Mapping[str, str]) -> None:
    if headers.get("service-worker", "").lower() == "script":
        raise Refused(400, messages.SERVICE_WORKER)
