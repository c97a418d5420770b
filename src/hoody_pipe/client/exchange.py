"""One request and its response, on a connection of its own, in whichever version of HTTP."""

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass

from hoody_pipe.errors import Broken

Fields = list[tuple[str, str]]


@dataclass(frozen=True)
class Head:
    """A final response's head; `names` are those of its fields as they came, `fields` has them in lower case."""

    status: int
    fields: dict[str, str]
    names: tuple[str, ...] = ()


class Exchange(ABC):
    """Bytes go out only when they are written, and come in only when they are read."""

    version: str

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.may_send = asyncio.Event()  # the server has said that it wants the body, or has answered already
        self._reader = reader
        self._writer = writer
        self._handed = 0
        writer.transport.set_write_buffer_limits(1, 0)  # drained is what the kernel has

    @property
    def accepted(self) -> int:
        """How many bytes of the body have left this program."""
        return max(0, self._handed - self._writer.transport.get_write_buffer_size())

    @abstractmethod
    async def ask(self, method: str, target: str, fields: Fields, has_body: bool) -> None:
        """Send the request's head."""

    @abstractmethod
    async def write(self, data: bytes) -> None:
        """Send more of the body; when this is cancelled, the rest of `data` leaves later.

        Raises:
            Broken: nobody takes it any more.
        """

    @abstractmethod
    async def end(self) -> None:
        """End the body."""

    @abstractmethod
    async def head(self) -> Head:
        """The final response's head.

        Raises:
            Broken: there will be none.
        """

    @abstractmethod
    async def read(self) -> bytes:
        """The next piece of the response's body; nothing at its clean end.

        Raises:
            Broken: there is no clean end.
        """

    def cut(self) -> None:
        """Let go of the connection at once, as a killed client does."""
        self._writer.transport.abort()

    async def _flush(self) -> None:
        await asyncio.sleep(0)  # an answer is seen before more is written
        try:
            await self._writer.drain()
        except OSError as error:
            raise Broken(str(error)) from error

    async def _receive(self) -> bytes:
        try:
            return await self._reader.read(65536)
        except OSError as error:
            raise Broken(str(error)) from error
