"""An exchange over HTTP/1.1."""

import asyncio

import h11

from hoody_pipe.client.exchange import Exchange, Fields, Head
from hoody_pipe.errors import Broken


class Http1(Exchange):
    """h11 reads and writes; interim responses are passed over."""

    version = "HTTP/1.1"

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, authority: str) -> None:
        super().__init__(reader, writer)
        self._authority = authority
        self._http = h11.Connection(h11.CLIENT)
        self._head: Head | None = None

    async def ask(self, method: str, target: str, fields: Fields, has_body: bool) -> None:
        framing = [] if not has_body or "content-length" in dict(fields) else [("transfer-encoding", "chunked")]
        headers = [("host", self._authority), ("connection", "close"), *fields, *framing]
        await self._send(h11.Request(method=method, target=target, headers=headers))
        if not has_body:
            await self.end()

    async def write(self, data: bytes) -> None:
        self._handed += len(data)
        await self._send(h11.Data(data=data))

    async def end(self) -> None:
        await self._send(h11.EndOfMessage())

    async def head(self) -> Head:
        while self._head is None:
            event = await self._next()
            if isinstance(event, h11.InformationalResponse):
                if event.status_code == 100:
                    self.may_send.set()
            elif isinstance(event, h11.Response):
                raw = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers.raw_items()]
                fields = {name.lower(): value for name, value in raw}
                self._head = Head(event.status_code, fields, tuple(name for name, _ in raw))
                self.may_send.set()
            else:
                raise Broken("no response came")
        return self._head

    async def read(self) -> bytes:
        await self.head()
        event = await self._next()
        if isinstance(event, h11.Data):
            return bytes(event.data)
        if isinstance(event, h11.EndOfMessage):
            return b""
        raise Broken("there is nothing to read")

    async def _send(self, event: h11.Event) -> None:
        try:
            self._writer.write(self._http.send(event) or b"")
        except h11.LocalProtocolError as error:
            raise Broken("it has closed the connection") from error
        await self._flush()

    async def _next(self) -> object:
        data = b"-"
        try:
            while (event := self._http.next_event()) is h11.NEED_DATA:
                data = await self._receive()
                self._http.receive_data(data)
        except h11.RemoteProtocolError as error:
            raise Broken(str(error) if data else "the connection was closed early") from error
        return event
