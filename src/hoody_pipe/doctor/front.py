"""Who answers, in what way the requests get there, and whether the server can know that something is in between."""

import asyncio
from dataclasses import dataclass

from hoody_pipe.client.client import Client
from hoody_pipe.client.exchange import Head
from hoody_pipe.doctor.findings import CADDY, NGINX, OLD_HTTP, UNANNOUNCED, Finding, bad, ok, unknown
from hoody_pipe.errors import Broken, Unreachable
from hoody_pipe.wire.response import REQUEST_SEEN

SERVICE = "hoody-pipe"
HEALTH = 10.0  # seconds until the health page has to be there


@dataclass(frozen=True)
class Front:
    """What stands at the URL; `proxy` is what it calls itself, `kind` the one of ours that this is."""

    version: str
    proxy: str
    seen: str
    shows: bool  # that something is in between

    @property
    def kind(self) -> str:
        """The name under which its remedies stand, or nothing."""
        return next((kind for kind in (NGINX, CADDY) if kind.lower() in self.proxy.lower()), "")

    @property
    def is_announced(self) -> bool:
        """Whether the server knows of something in between."""
        return self.seen.endswith("proxied")


async def look(client: Client) -> Front:
    """Ask the server for its health.

    Raises:
        Unreachable: there is no hoody-pipe.
    """
    try:
        async with asyncio.timeout(HEALTH):
            head, health = await client.page("health")
    except TimeoutError as error:
        raise Unreachable(f"{client.endpoint.url} is no hoody-pipe: its health page does not answer") from error
    except Broken as broken:
        raise Unreachable(f"{client.endpoint.url} breaks off instead of answering: {broken}") from broken
    if head.status in (301, 302, 307, 308):
        raise Unreachable(f"{client.endpoint.url} redirects to {head.fields.get('location', 'nowhere')}: ask there")
    if head.status != 200 or health.get("service") != SERVICE:
        raise Unreachable(f"{client.endpoint.url} is no hoody-pipe: its health page answers {head.status}")
    proxy = head.fields.get("server") or head.fields.get("via") or ""
    seen = head.fields.get(REQUEST_SEEN.lower(), "")
    return Front(client.version, proxy, seen, bool(proxy) or _is_touched(client, head))


def _is_touched(client: Client, head: Head) -> bool:
    """A server of ours speaks no TLS, and writes the names of its fields with capitals."""
    return client.endpoint.scheme == "https" or any(name.islower() for name in head.names)


def greeting(front: Front) -> Finding:
    """Who answers."""
    through = f", through {front.proxy}" if front.proxy else ""
    return ok("server", f"a hoody-pipe answers over {front.version}{through}")


def upstream(front: Front) -> Finding:
    """Which version of HTTP the server is spoken to in."""
    check = "upstream"
    if not front.seen:
        return unknown(check, "the server is too old to say in what version of HTTP it is asked")
    version = front.seen.partition(";")[0]
    if version == "HTTP/1.0":
        return bad(
            check, "the proxy speaks HTTP/1.0 to the server: an upload of unknown length is stored first", OLD_HTTP
        )
    return ok(check, f"the server is asked in {version}")


def announcement(front: Front) -> Finding:
    """Whether the server knows that there is a proxy: quiet mode and signs of life depend on it."""
    check = "announcement"
    if front.is_announced:
        return ok(
            check, "the proxy says that it is one, so senders are answered at the end and who waits gets signs of life"
        )
    if not front.seen:
        return unknown(check, "the server is too old to say whether it knows of a proxy")
    if front.shows:
        return bad(
            check, "the proxy does not say that it is one: no quiet mode, no signs of life for who waits", UNANNOUNCED
        )
    return ok(check, "nothing between here and the server shows itself")
