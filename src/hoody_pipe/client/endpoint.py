"""Where a server is reached: a URL as a user writes it, and the connections that go there."""

import asyncio
import os
import re
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from hoody_pipe.core.names import PREFIX
from hoody_pipe.errors import Unreachable

CONNECT = 10.0  # seconds until a connection has to be there
# A receiver that is to stand still has small buffers, and small segments keep those of its peer small.
STILL_BUFFER = 16 * 1024
STILL_SEGMENT = 1220

_PORTS = {"http": 80, "https": 443}
_PATH = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%\-]*)*")


@dataclass(frozen=True)
class Endpoint:
    """A server; `base` is the path under which a proxy offers it."""

    scheme: str
    host: str
    port: int
    base: str

    @classmethod
    def parse(cls, url: str) -> "Endpoint":
        """Read scheme://host[:port][/base], with or without the prefix of the API behind it.

        Raises:
            Unreachable: it is none.
        """
        try:
            parts = urlsplit(url)
            port, host = parts.port, (parts.hostname or "").encode("idna").decode()
        except ValueError as error:
            raise Unreachable(f"{url!r} is no URL: {error}") from error
        if parts.scheme not in _PORTS or not host:
            raise Unreachable(f"{url!r} is no URL of a server: http://host[:port][/path], or https")
        if "@" in parts.netloc or parts.query or parts.fragment or not _PATH.fullmatch(parts.path):
            raise Unreachable(f"{url!r} must be a plain URL, with no user, query or fragment")
        return cls(
            parts.scheme, host, port or _PORTS[parts.scheme], parts.path.rstrip("/").removesuffix(PREFIX).rstrip("/")
        )

    @property
    def authority(self) -> str:
        """What the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """Where the pipes are."""
        return f"{self.scheme}://{self.authority}{self.base}{PREFIX}"

    def target(self, name: str) -> str:
        """The request target of a pipe, or of a page; `name` may have a query."""
        return f"{self.base}{PREFIX}/{name}"

    async def connect(
        self, tls: ssl.SSLContext | None, stands_still: bool = False
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A new connection.

        Raises:
            Unreachable: in one line, why there is none.
        """
        try:
            async with asyncio.timeout(CONNECT):
                sock = await self._connect(stands_still)
                return await asyncio.open_connection(sock=sock, ssl=tls, server_hostname=self.host if tls else None)
        except TimeoutError as error:
            raise Unreachable(f"{self.authority} does not answer within {CONNECT:.0f} s") from error
        except ssl.SSLCertVerificationError as error:
            reason = f"the certificate is not trusted ({error.verify_message}); --insecure takes it"
            raise Unreachable(f"no TLS with {self.authority}: {reason}") from error
        except ssl.SSLError as error:
            reason = (error.reason or str(error)).lower().replace("_", " ")
            raise Unreachable(f"no TLS with {self.authority}: {reason}") from error
        except socket.gaierror as error:
            raise Unreachable(f"{self.host} is not known: {error.strerror}") from error
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise Unreachable(f"cannot connect to {self.authority}: {reason}") from error

    async def _connect(self, stands_still: bool) -> socket.socket:
        """Try every address of the host in turn."""
        loop = asyncio.get_running_loop()
        failed: OSError = OSError("it has no address")
        for family, kind, protocol, _, address in await loop.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM):
            sock = socket.socket(family, kind, protocol)
            try:
                sock.setblocking(False)
                if stands_still:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, STILL_BUFFER)
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, STILL_SEGMENT)
                await loop.sock_connect(sock, address)
            except OSError as error:
                failed = error
                sock.close()
            except BaseException:
                sock.close()
                raise
            else:
                return sock
        raise failed


def tls_of(scheme: str, insecure: bool) -> ssl.SSLContext | None:
    """TLS as curl speaks it: HTTP/2 where it is offered."""
    if scheme == "http":
        return None
    context = ssl.create_default_context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
