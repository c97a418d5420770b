"""What a check finds, and which line of a proxy's configuration mends it."""

from dataclasses import dataclass, field
from enum import StrEnum

Lines = dict[str, str]  # what to write, by proxy

NGINX, HAPROXY, CADDY = "nginx", "HAProxy", "Caddy"


class Verdict(StrEnum):
    """What a check came to; unknown is never taken for well."""

    OK = "ok"
    BAD = "bad"
    UNKNOWN = "unknown"
    LEFT_OUT = "left out"


@dataclass(frozen=True)
class Finding:
    """The outcome of one check."""

    check: str
    verdict: Verdict
    text: str
    remedy: Lines = field(default_factory=dict)

    def remedy_for(self, kind: str) -> Lines:
        """The line for the proxy of this kind, or those for all when it is not known."""
        return {kind: self.remedy[kind]} if kind in self.remedy else self.remedy


def ok(check: str, text: str) -> Finding:
    """All is as it should be."""
    return Finding(check, Verdict.OK, text)


def bad(check: str, text: str, remedy: Lines | None = None) -> Finding:
    """Something is wrong."""
    return Finding(check, Verdict.BAD, text, remedy or {})


def unknown(check: str, text: str, remedy: Lines | None = None) -> Finding:
    """It could not be found out."""
    return Finding(check, Verdict.UNKNOWN, text, remedy or {})


def left_out(check: str, text: str) -> Finding:
    """Nobody wanted to know."""
    return Finding(check, Verdict.LEFT_OUT, text)


STORES_UPLOADS = {
    NGINX: "proxy_request_buffering off; and proxy_http_version 1.1;",
    HAPROXY: "no option http-buffer-request, and no http-request wait-for-body",
    CADDY: "no request_buffers (buffer_requests) in reverse_proxy",
}
HOLDS_DOWNLOADS = {
    NGINX: "proxy_buffering off;",
    HAPROXY: "no http-response wait-for-body",
    CADDY: "flush_interval 1ms in reverse_proxy, and no response_buffers (buffer_responses)",
}
OLD_HTTP = {
    NGINX: 'proxy_http_version 1.1; and proxy_set_header Connection "";',
    HAPROXY: "no line makes it HTTP/1.0: look at what stands before or behind it",
    CADDY: "no line makes it HTTP/1.0: look at what stands before or behind it",
}
REFUSES_PUT = {
    NGINX: "no limit_except that leaves PUT out",
    HAPROXY: "no http-request deny that meets PUT",
    CADDY: "no matcher that leaves PUT out",
}
UNANNOUNCED = {
    NGINX: "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
    HAPROXY: "option forwardfor",
    CADDY: "no header_up -X-Forwarded-For in reverse_proxy",
}
LIMITS_SIZE = {
    NGINX: "client_max_body_size 0;",
    HAPROXY: "no rule that denies by req.body_size or Content-Length",
    CADDY: "no request_body with max_size",
}
CUTS_WAITING = {
    NGINX: "proxy_read_timeout 1h; and no http2 on the listen line",
    HAPROXY: "timeout server 1h and timeout client 1h",
    CADDY: "no read_timeout and no response_header_timeout in transport, no write in timeouts, and Caddy 2.10 or newer",
}
CUTS_SILENT = {
    NGINX: "client_body_timeout 1h; and proxy_read_timeout 1h;",
    HAPROXY: "timeout client 1h and timeout server 1h",
    CADDY: "read_body_idle 1h in timeouts, no read_body there, and no read_timeout in transport",
}
CUTS_STILL = {
    NGINX: "send_timeout 1h; and proxy_send_timeout 1h; and proxy_read_timeout 1h;",
    HAPROXY: "timeout client 1h and timeout server 1h",
    CADDY: "write_idle 1h in timeouts, no write there, and no read_timeout and no write_timeout in transport",
}
HIDES_BREAKS = {
    NGINX: "proxy_http_version 1.1; and proxy_buffering off;",
    HAPROXY: "alpn http/1.1 on the bind line, without h2",
    CADDY: "no line: it takes Caddy 2.7.6 or newer",
}
HIDES_LOSSES = {
    NGINX: "proxy_buffering off; and proxy_ignore_client_abort off;",
    HAPROXY: "option abortonclose",
    CADDY: "flush_interval 1ms in reverse_proxy, not -1",
}
KEEPS_WHO_LEFT = {
    NGINX: "proxy_ignore_client_abort off;",
    HAPROXY: "option abortonclose",
    CADDY: "flush_interval 1ms in reverse_proxy, not -1",
}
