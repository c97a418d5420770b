"""A client of one server: opens parties of pipes, and asks."""

import json
from types import TracebackType
from typing import Any, Self

from hoody_pipe import __version__
from hoody_pipe.client.endpoint import Endpoint, tls_of
from hoody_pipe.client.exchange import Exchange, Head
from hoody_pipe.client.http1 import Http1
from hoody_pipe.client.http2 import Http2
from hoody_pipe.client.parties import Receiver, Sender

MOST_OF_A_PAGE = 64 * 1024  # bytes
AGENT = ("user-agent", f"hoody-pipe/{__version__}")


class Client:
    """Every exchange has a connection of its own; leaving the client ends them all."""

    def __init__(self, url: str, insecure: bool = False) -> None:
        """Raises: Unreachable, when that is no URL."""
        self.endpoint = Endpoint.parse(url)
        self.version = ""
        self._tls = tls_of(self.endpoint.scheme, insecure)
        self._open: list[Exchange | Sender] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for party in self._open:
            party.cut()

    async def send(self, name: str, length: int | None = None) -> Sender:
        """A sender; without a length its body is chunked.

        Raises:
            Unreachable, Broken
        """
        exchange = await self._open_exchange()
        fields = [AGENT] if length is None else [AGENT, ("content-length", str(length))]
        if exchange.version == Http1.version:
            fields.append(("expect", "100-continue"))
        await exchange.ask("PUT", self.endpoint.target(name), fields, has_body=True)
        sender = Sender(exchange)
        self._open.append(sender)
        await sender.consent()
        return sender

    async def receive(self, name: str, stands_still: bool = False) -> Receiver:
        """A receiver; one that is to stand still has small buffers.

        Raises:
            Unreachable, Broken
        """
        exchange = await self._open_exchange(stands_still)
        await exchange.ask("GET", self.endpoint.target(name), [AGENT, ("accept", "*/*")], has_body=False)
        return Receiver(exchange)

    async def status(self, name: str) -> dict[str, Any]:
        """How a pipe stands.

        Raises:
            Unreachable, Broken
        """
        return (await self.page(name + "?status"))[1]

    async def page(self, name: str) -> tuple[Head, dict[str, Any]]:
        """A page that is JSON; an empty object if it is not.

        Raises:
            Unreachable, Broken
        """
        exchange = await self._open_exchange()
        await exchange.ask("GET", self.endpoint.target(name), [AGENT], has_body=False)
        head, text = await exchange.head(), b""
        while len(text) < MOST_OF_A_PAGE and (piece := await exchange.read()):
            text += piece
        exchange.cut()
        try:
            found = json.loads(text)
        except ValueError:
            found = {}
        return head, found if isinstance(found, dict) else {}

    async def _open_exchange(self, stands_still: bool = False) -> Exchange:
        reader, writer = await self.endpoint.connect(self._tls, stands_still)
        tls = writer.get_extra_info("ssl_object")
        kind = Http2 if tls is not None and tls.selected_alpn_protocol() == "h2" else Http1
        self.version = kind.version
        exchange = kind(reader, writer, self.endpoint.authority)
        self._open.append(exchange)
        return exchange
