"""What a request asks for: its method, target and headers become one intent, or a refusal (protocol A, B.1, B.4, C.4).

Nothing here knows which names are in use; that is the rendezvous'.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hoody_pipe.core import messages
from hoody_pipe.core.forwarding import Forwarded
from hoody_pipe.core.limits import Limits
from hoody_pipe.core.names import PREFIXED_ONLY, resolve
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
    forwarded: Forwarded


@dataclass(frozen=True, slots=True)
class Receive:
    """A receiver for a pipe; `params` shape its Content-Disposition."""

    name: str
    n: int
    wait: float
    params: Params


@dataclass(frozen=True, slots=True)
class Preflight:
    """A CORS preflight (protocol B.8); `for_pipes` unless it asks about a page of figures."""

    methods: str
    for_pipes: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    """A reserved page, by its canonical path."""

    path: str


Intent = Send | Receive | Preflight | Page


def admit(method: str, target: str, headers: Mapping[str, str], limits: Limits) -> Intent:
    """Say what a request asks for.

    Raises:
        Refused: with the status and line that answer it.
    """
    path, _, query = target.partition("?")
    place = resolve(path, limits.name)
    params = Params.parse(query) if query else EMPTY
    if place.reserved:
        return _reserved(method, place.name, headers)
    if method in ("PUT", "POST"):
        return _send(place.name, params, headers, limits)
    if method == "GET":
        return _receive(place.name, params, headers, limits)
    if method == "OPTIONS":
        return Preflight("GET, HEAD, POST, PUT, OPTIONS" if params.has("status") else "GET, POST, PUT, OPTIONS")
    if method == "HEAD" and params.has("status"):
        raise Refused(501, messages.not_yet("?status"))
    allow = "GET, HEAD, POST, PUT, OPTIONS" if params.has("status") else "GET, POST, PUT, OPTIONS"
    raise Refused(405, messages.method_not_allowed(method, METHODS_HINT), allow)


def _reserved(method: str, path: str, headers: Mapping[str, str]) -> Intent:
    if method in ("GET", "HEAD"):
        return Page(path)
    if method == "OPTIONS":
        if path in PREFIXED_ONLY:
            return Preflight("GET, HEAD, OPTIONS", for_pipes=False)
        return Preflight("GET, POST, PUT, OPTIONS")
    if method in ("PUT", "POST") and path not in PREFIXED_ONLY:
        raise Refused(400, messages.reserved(path))
    raise Refused(405, messages.method_not_allowed(method), "GET, HEAD, OPTIONS")


def _send(name: str, params: Params, headers: Mapping[str, str], limits: Limits) -> Send:
    if "content-range" in headers:
        raise Refused(400, messages.CONTENT_RANGE)
    _refuse_service_worker(headers)
    for flag in ("live", "sha256"):
        if params.has(flag):
            raise Refused(501, messages.not_yet("?" + flag))
    if "transfer" in params:
        raise Refused(501, messages.not_yet("?transfer"))
    if headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise Refused(501, messages.not_yet("multipart/form-data"))
    return Send(
        name,
        params.receivers(limits.receivers),
        params.wait(limits.wait, limits.longest_wait),
        params.require_any(),
        Forwarded.of(dict(headers)),
    )


def _receive(name: str, params: Params, headers: Mapping[str, str], limits: Limits) -> Receive:
    if params:
        _refuse_features(params, headers)
    _refuse_service_worker(headers)
    return Receive(
        name,
        params.receivers(limits.receivers),
        params.wait(limits.wait, limits.longest_wait),
        params,
    )


def _refuse_features(params: Params, headers: Mapping[str, str]) -> None:
    """Say of a question about a pipe that it cannot be answered, so that it never takes a receiver's slot instead."""
    if params.has("status"):
        raise Refused(501, messages.not_yet("?status"))
    wants_page = "text/html" in headers.get("accept", "")
    for flag in ("progress", "video", "share", "receive"):
        if params.has(flag) and (wants_page or flag == "progress"):
            raise Refused(501, messages.not_yet("?" + flag))
    if params.has("ws"):
        raise Refused(501, messages.NO_WEBSOCKET)
    for flag in ("live", "sha256"):
        if params.has(flag):
            raise Refused(501, messages.not_yet("?" + flag))


def _refuse_service_worker(headers: Mapping[str, str]) -> None:
    if headers.get("service-worker", "").lower() == "script":
        raise Refused(400, messages.SERVICE_WORKER)
