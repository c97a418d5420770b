"""An exchange over HTTP/2, the only one on its connection."""

import asyncio
from collections import deque
from collections.abc import Iterator

from h2.config import H2Configuration
from h2.connection import ConnectionState, H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import H2Error
from h2.settings import SettingCodes, Settings

from hoody_pipe.client.exchange import Exchange, Fields, Head
from hoody_pipe.errors import Broken

WINDOW = 1 << 20  # bytes that may be on the way to us; more only when they are read


class Http2(Exchange):
    """h2 reads and writes; a task listens, because what may be sent depends on what comes."""

    version = "HTTP/2"

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, authority: str) -> None:
        super().__init__(reader, writer)
        self._authority = authority
        self._http = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self._http.local_settings = Settings(
            client=True, initial_values={SettingCodes.ENABLE_PUSH: 0, SettingCodes.INITIAL_WINDOW_SIZE: WINDOW}
        )
        self._stream = 1
        self._news = asyncio.Event()
        self._head: Head | None = None
        self._pieces: deque[DataReceived] = deque()
        self._unsent = bytearray()
        self._unparsed = bytearray()
        self._has_ended = False
        self._fault: str | None = None
        self._listening: asyncio.Task[None] | None = None

    @property
    def accepted(self) -> int:
        return max(0, super().accepted - len(self._unsent))

    async def ask(self, method: str, target: str, fields: Fields, has_body: bool) -> None:
        self._http.initiate_connection()
        pseudo = {":method": method, ":scheme": "https", ":authority": self._authority, ":path": target}
        self._http.send_headers(self._stream, [*pseudo.items(), *fields], end_stream=not has_body)
        self._http.increment_flow_control_window(WINDOW)
        self._listening = asyncio.create_task(self._listen())
        self.may_send.set()  # what a peer is ready to take is the window's business here
        await self._transmit()

    async def write(self, data: bytes) -> None:
        self._handed += len(data)
        self._unsent += data
        while self._unsent:
            room = min(self._room(), len(self._unsent))
            if room > 0:
                piece = bytes(self._unsent[:room])
                del self._unsent[:room]
                self._send(piece)
                await self._transmit()
            else:
                await self._wait()

    async def end(self) -> None:
        await self.write(b"")
        self._room()
        self._send(b"", end=True)
        await self._transmit()

    async def head(self) -> Head:
        while self._head is None:
            if self._has_ended or self._fault:
                raise Broken(self._fault or "no response came")
            await self._wait()
        return self._head

    async def read(self) -> bytes:
        while not self._pieces:
            if self._has_ended:
                return b""
            if self._fault:
                raise Broken(self._fault)
            await self._wait()
        piece = self._pieces.popleft()
        if not self._fault and not self._has_ended:
            self._http.acknowledge_received_data(piece.flow_controlled_length or 0, self._stream)
            await self._transmit()
        return piece.data or b""

    def cut(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
        super().cut()

    def _room(self) -> int:
        """How many bytes may be sent now."""
        if self._fault:
            raise Broken(self._fault)
        try:
            return min(self._http.local_flow_control_window(self._stream), self._http.max_outbound_frame_size)
        except H2Error as error:
            raise Broken("it takes no more") from error

    def _send(self, piece: bytes, end: bool = False) -> None:
        try:
            self._http.send_data(self._stream, piece, end_stream=end)
        except H2Error as error:
            raise Broken("it takes no more") from error

    async def _transmit(self) -> None:
        self._writer.write(self._http.data_to_send())
        await self._flush()

    async def _wait(self) -> None:
        self._news.clear()
        await self._news.wait()

    async def _listen(self) -> None:
        try:
            while data := await self._receive():
                self._unparsed += data
                for frame in self._frames():
                    for event in self._http.receive_data(frame):
                        self._take(event)
                self._writer.write(self._http.data_to_send())
                self._news.set()
            self._fault = self._fault or "the connection ended"
        except (Broken, H2Error) as error:
            self._fault = self._fault or str(error)
        finally:
            self._fault = self._fault or "the connection was cut"
            self._news.set()

    def _frames(self) -> Iterator[bytes]:
        """What has come, one frame at a time (RFC 9113, 4.1), so that each is dealt with before the next."""
        while len(self._unparsed) >= (size := 9 + int.from_bytes(self._unparsed[:3])):
            frame = bytes(self._unparsed[:size])
            del self._unparsed[:size]
            yield frame

    def _take(self, event: Event) -> None:
        if isinstance(event, ResponseReceived):
            fields = {str(name): str(value) for name, value in event.headers or ()}
            self._head = Head(int(fields.pop(":status")), fields)
        elif isinstance(event, DataReceived):
            self._pieces.append(event)
        elif isinstance(event, StreamEnded):
            self._has_ended = True
        elif isinstance(event, StreamReset):
            self._fault = f"the stream was reset ({_name_of(event.error_code)})"
        elif isinstance(event, ConnectionTerminated):
            if event.error_code == ErrorCodes.NO_ERROR:  # running streams go on (6.8), but h2 would refuse their frames
                self._http.state_machine.state = ConnectionState.CLIENT_OPEN
            else:
                self._fault = self._fault or f"the connection is ended ({_name_of(event.error_code)})"


def _name_of(code: int | None) -> str:
    return code.name if isinstance(code, ErrorCodes) else str(code)
