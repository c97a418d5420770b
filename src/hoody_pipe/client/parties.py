"""The two parties of a pipe, seen from their own side."""

import asyncio
import contextlib
from dataclasses import dataclass

from hoody_pipe.client.exchange import Exchange
from hoody_pipe.core.messages import TRANSFER_COMPLETE
from hoody_pipe.errors import Broken

CONSENT = 1.0  # seconds that a sender waits for 100 Continue, as curl does


@dataclass(frozen=True)
class Answer:
    """What a sender was told in the end: `broken` says how the response broke off, if it did."""

    status: int
    text: str
    broken: str = ""

    @property
    def is_success(self) -> bool:
        """Whether a curl would exit with 0, and rightly."""
        return self.status == 200 and not self.broken and self.last_line == TRANSFER_COMPLETE

    @property
    def last_line(self) -> str:
        """The last status line, or the first words of whatever else came."""
        lines = self.text.strip().splitlines() or [""]
        return lines[-1][:80]

    def __str__(self) -> str:
        if not self.status:
            return f"the connection broke ({self.broken})"
        said = f" {self.last_line!r}" if self.last_line.startswith("[") else ""
        return f"{self.status}{said}{', broken off' if self.broken else ''}"


class Sender:
    """A sender whose answer is read from the start."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.status = 0  # of its answer, as soon as that has begun
        self.answer = asyncio.create_task(self._read_answer())

    @property
    def accepted(self) -> int:
        """How many bytes of the body have left this program."""
        return self._exchange.accepted

    async def consent(self) -> None:
        """Wait until the body is wanted, but not for long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CONSENT):
                await self._exchange.may_send.wait()

    async def write(self, data: bytes) -> None:
        """Send a piece.

        Raises:
            Broken: nobody takes it any more; the answer may say why.
        """
        await self._exchange.write(data)

    async def end(self) -> None:
        """End the body."""
        with contextlib.suppress(Broken):  # the answer says why
            await self._exchange.end()

    async def finish(self) -> Answer:
        """End the body, and wait for the answer."""
        await self.end()
        return await self.answer

    def cut(self) -> None:
        """Go away without an end."""
        self.answer.cancel()
        self._exchange.cut()

    async def _read_answer(self) -> Answer:
        text = b""
        try:
            self.status = (await self._exchange.head()).status
            while piece := await self._exchange.read():
                text += piece
        except Broken as broken:
            return Answer(self.status, text.decode("utf-8", "replace"), str(broken) or "closed")
        return Answer(self.status, text.decode("utf-8", "replace"))


class Receiver:
    """A receiver that reads only what it is told to."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    async def read(self) -> bytes:
        """The next piece; nothing at the clean end.

        Raises:
            Broken: there is no stream, or it has no clean end.
        """
        status = (await self._exchange.head()).status
        if status != 200:
            raise Broken(f"the receiver was answered {status}")
        return await self._exchange.read()

    async def read_all(self, least: int = -1) -> bytes:
        """Everything up to the clean end, or `least` bytes and what came with them.

        Raises:
            Broken: it ended before.
        """
        data = b""
        while len(data) < least or least < 0:
            piece = await self.read()
            if not piece:
                break
            data += piece
        return data

    def cut(self) -> None:
        """Go away."""
        self._exchange.cut()
