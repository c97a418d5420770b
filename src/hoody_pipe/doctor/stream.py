"""A long body, made as it is sent and digested at both ends."""

import asyncio
import hashlib
import random
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from hoody_pipe.client.parties import Answer, Receiver, Sender
from hoody_pipe.errors import Broken

Result = TypeVar("Result")

BLOCK = 64 * 1024  # bytes
LOOK = 0.25  # seconds between two looks at how far it is
STANDSTILL = 15.0  # seconds without a byte after which a stream that should flow is stuck
ANSWER = 20.0  # seconds until a sender is answered once its receiver has everything


@dataclass(frozen=True)
class Problem:
    """How a stream went wrong; one that is stuck did not even end."""

    text: str
    is_stuck: bool = False

    def __str__(self) -> str:
        return self.text


def background(coroutine: Coroutine[Any, Any, Result]) -> "asyncio.Task[Result]":
    """A task whose failure may go unheard."""
    task = asyncio.create_task(coroutine)
    task.add_done_callback(lambda task: task.cancelled() or task.exception())
    return task


class Stream:
    """What one sender sends to one receiver."""

    def __init__(self, sender: Sender, receiver: Receiver) -> None:
        self.sender = sender
        self.handed = 0
        self.has_ended = False
        self._receiver = receiver
        self._reading: asyncio.Task[Problem | None] | None = None
        self._random = random.Random()
        self._sent = hashlib.sha256()

    @property
    def accepted(self) -> int:
        """How many bytes have left this program."""
        return self.sender.accepted

    async def push(self, most: int, patience: float) -> None:
        """Send until `most` bytes are handed over, none leaves for `patience` seconds, or the sender is answered."""
        while self.handed < most and not self.sender.answer.done():
            block = self._random.randbytes(min(BLOCK, most - self.handed))
            self._sent.update(block)
            self.handed += len(block)
            if not await self._leaves(block, patience):
                return

    async def _leaves(self, block: bytes, patience: float) -> bool:
        before, since = -1, time.monotonic()
        while self.accepted != before or time.monotonic() < since + patience:
            if self.accepted != before:
                before, since = self.accepted, time.monotonic()
            try:
                async with asyncio.timeout(LOOK):
                    await self.sender.write(block)
                    return True
            except TimeoutError:
                block = b""  # it is on its way
            except Broken:
                await asyncio.wait([self.sender.answer], timeout=ANSWER)  # it says why
                return False
        return False

    async def end(self, patience: float) -> None:
        """End the body, unless what is before the end does not leave in time."""
        try:
            async with asyncio.timeout(patience):
                await self.sender.end()
                self.has_ended = True
        except TimeoutError:
            pass

    def read(self) -> "asyncio.Task[Problem | None]":
        """Let the receiver read from now on."""
        self._reading = self._reading or background(self._read())
        return self._reading

    async def finish(self) -> Problem | None:
        """End the body and read everything; what went wrong, if something did."""
        reading = self.read()
        finishing = background(self._answer())
        await asyncio.wait([reading, finishing], return_when=asyncio.FIRST_COMPLETED)
        if finishing.done() and not finishing.result().is_success:
            reading.cancel()
            return Problem(f"the sender was told {finishing.result()}")
        problem = await reading
        if problem and problem.is_stuck:
            finishing.cancel()
            return problem
        await asyncio.wait([finishing], timeout=ANSWER)
        if not finishing.done():
            finishing.cancel()
            return problem or Problem("the sender was never answered", is_stuck=True)
        answer = finishing.result()
        return problem or (None if answer.is_success else Problem(f"the sender was told {answer}"))

    async def _answer(self) -> Answer:
        return await self.sender.answer if self.has_ended else await self.sender.finish()

    async def _read(self) -> Problem | None:
        got = hashlib.sha256()
        try:
            while True:
                async with asyncio.timeout(STANDSTILL):
                    piece = await self._receiver.read()
                if not piece:
                    return None if got.digest() == self._sent.digest() else Problem("other bytes came than were sent")
                got.update(piece)
        except TimeoutError:
            return Problem(f"nothing came for {STANDSTILL:.0f} s", is_stuck=True)
        except Broken as broken:
            return Problem(f"the receiver's stream broke: {broken}")
