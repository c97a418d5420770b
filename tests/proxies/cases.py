"""Proxies as they are shipped, and others that do something wrong: what the doctor has to say of each."""

from dataclasses import dataclass
from functools import partial

from proxies.routes import (
    CADDY,
    CADDY_SHORT,
    DEPLOY,
    NGINX_DEFAULTS,
    ROUTES,
    SHIPPED,
    Make,
    caddy,
    haproxy,
    nginx,
    program_of,
)

NGINX_SITE = (DEPLOY / "nginx.conf").read_text()
BELOW = NGINX_SITE.replace("location /", "location /tools/").replace("http://hoody_pipe;", "http://hoody_pipe/;")
Wrong = tuple[str, str]  # a check, and what stands in the line that mends it


@dataclass(frozen=True)
class Case:
    """`unknown` are checks that may come to nothing; `mended_in` is whose lines are shown, if only one proxy's."""

    make: Make
    wrong: tuple[Wrong, ...] = ()
    unknown: tuple[str, ...] = ()
    patience: float = 0
    mended_in: str = ""
    program: str = "nginx"
    path: str = ""


def _nginx(make: Make, *wrong: Wrong, unknown: tuple[str, ...] = (), patience: float = 0) -> Case:
    return Case(make, wrong, unknown, patience, "nginx")


def _without(line: str, *wrong: Wrong, unknown: tuple[str, ...] = ()) -> Case:
    assert line in NGINX_SITE
    return _nginx(partial(nginx, site=NGINX_SITE.replace(line, "")), *wrong, unknown=unknown)


def _haproxy(make: Make, *wrong: Wrong, patience: float = 0) -> Case:
    return Case(make, wrong, (), patience, program="haproxy")


def _caddy(make: Make, *wrong: Wrong, unknown: tuple[str, ...] = (), patience: float = 0, program: str = CADDY) -> Case:
    return Case(make, wrong, unknown, patience, "Caddy", program)


STORED = ("pieces", "proxy_request_buffering off;")
OLD = ("upstream", "proxy_http_version 1.1;")
NAMELESS = ("announcement", "X-Forwarded-For")
LIMITED = ("size", "client_max_body_size 0;")

CASES = {
    **{name: Case(make, patience=3, program=program_of(name)) for name, make in ROUTES.items() if name != "haproxy-h2"},
    "nginx below a path": Case(partial(nginx, site=BELOW), path="/tools/api/v1/pipe/"),
    "nginx, defaults": _nginx(
        partial(nginx, site=NGINX_DEFAULTS.replace("client_max_body_size 0;", "")),
        *(OLD, NAMELESS, STORED, LIMITED),
        unknown=("truth", "idle", "backpressure"),
        patience=1,
    ),
    "nginx, defaults without a limit": _nginx(
        partial(nginx, site=NGINX_DEFAULTS),
        *(OLD, NAMELESS, STORED, ("backpressure", STORED[1])),
        unknown=("truth",),
    ),
    "nginx stores uploads": _without(
        "proxy_request_buffering off;", STORED, ("backpressure", STORED[1]), unknown=("truth",)
    ),
    "nginx stores downloads": _nginx(
        partial(nginx, site=NGINX_SITE.replace("proxy_buffering off;", "proxy_ignore_headers X-Accel-Buffering;")),
        *(("pieces", "proxy_buffering off;"), ("backpressure", "proxy_buffering off;")),
    ),
    "nginx would store downloads, but the server asks it not to": Case(
        partial(nginx, site=NGINX_SITE.replace("proxy_buffering off;", ""))
    ),
    "nginx speaks HTTP/1.0": _without(
        "proxy_http_version 1.1;", OLD, STORED, ("backpressure", STORED[1]), unknown=("truth",)
    ),
    "nginx limits the size": _without("client_max_body_size 0;", LIMITED, unknown=("backpressure",)),
    "nginx says nothing of itself": _without(
        "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;", NAMELESS, ("backpressure", NAMELESS[1])
    ),
    "nginx lets nobody send": _nginx(
        partial(nginx, site=NGINX_SITE.replace("/ {", "/ { limit_except GET { deny all; }")), ("stream", "limit_except")
    ),
    "nginx cuts who reads nothing": _nginx(
        partial(nginx, send_timeout="1s"),
        *(("idle", "send_timeout 1h;"), ("backpressure", "send_timeout 1h;")),
        patience=3,
    ),
    "nginx cuts a silent sender": _nginx(
        partial(nginx, client_body_timeout="1s"), ("idle", "client_body_timeout 1h;"), patience=3
    ),
    "nginx cuts who waits": _nginx(
        partial(nginx, proxy_read_timeout="1s"), ("idle", "proxy_read_timeout 1h;"), patience=3
    ),
    "HAProxy, HTTP/2 + TLS": _haproxy(partial(haproxy, tls=True), ("truth", "alpn http/1.1")),
    "HAProxy cuts what is silent": _haproxy(
        partial(haproxy, timeout="1s"),
        *(("idle", "timeout client 1h"), ("backpressure", "timeout client 1h")),
        patience=3,
    ),
    "HAProxy keeps who has left": _haproxy(
        partial(haproxy, without="option abortonclose"), ("truth", "option abortonclose")
    ),
    "HAProxy says nothing of itself": _haproxy(
        partial(haproxy, without="option forwardfor"),
        *(("announcement", "option forwardfor"), ("stream", "option forwardfor")),
    ),
    "Caddy, defaults": _caddy(partial(caddy, proxy=""), ("pieces", "flush_interval 1ms")),
    "Caddy stores uploads": _caddy(
        partial(caddy, proxy=SHIPPED + "\nrequest_buffers 1MB"), ("pieces", "request_buffers"), unknown=("truth",)
    ),
    "Caddy stores downloads": _caddy(
        partial(caddy, proxy="response_buffers 10MB"), ("pieces", "response_buffers"), unknown=("truth",)
    ),
    "Caddy cuts what stands still": _caddy(
        partial(caddy, timeout="1s"), ("idle", "read_body_idle 1h"), ("backpressure", "write_idle 1h"), patience=3
    ),
    "Caddy cuts what is silent": _caddy(
        partial(caddy, proxy=CADDY_SHORT), ("idle", "read_timeout"), ("backpressure", "read_timeout"), patience=4
    ),
    "Caddy 2.6 of Debian 12": _caddy(
        partial(caddy, program="caddy"),
        *(("truth", "Caddy 2.7.6 or newer"), ("idle", "Caddy 2.10 or newer")),
        patience=3,
        program="caddy",
    ),
}
