"""Whether a stream flows: each piece arrives while the upload is still open, and nothing in between swallows it."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Collection

from hoody_pipe.client.client import Client
from hoody_pipe.client.parties import Answer, Receiver
from hoody_pipe.doctor.findings import (
    CUTS_STILL,
    HOLDS_DOWNLOADS,
    LIMITS_SIZE,
    REFUSES_PUT,
    STORES_UPLOADS,
    UNANNOUNCED,
    Finding,
    bad,
    ok,
    unknown,
)
from hoody_pipe.doctor.stream import ANSWER, Stream
from hoody_pipe.errors import Broken

MB = 1_000_000
PIECE = b"a piece of a stream\n"
ARRIVAL = 5.0  # seconds until a piece has to be there
STILL = 2.0  # seconds without a byte after which a sender is being held back
SWALLOWED = 256 * MB  # more than the buffers of all kernels on the way hold
LITTLE = 900_000  # bytes; below the commonest limit of a size
TOO_LARGE = 413
NOT_PASSING = {TOO_LARGE: LIMITS_SIZE, 403: REFUSES_PUT, 405: REFUSES_PUT, 501: REFUSES_PUT, 200: UNANNOUNCED}
BACKPRESSURE = "backpressure"
LOOK = 0.05  # seconds between two questions
WAITING = frozenset({"waiting"})


def new_name() -> str:
    """A pipe of our own."""
    return "doctor-" + secrets.token_hex(16)


async def arrives(receiver: Receiver, size: int) -> bool:
    """Whether a receiver gets so many bytes in time; it may go on reading afterwards."""
    try:
        async with asyncio.timeout(ARRIVAL):
            await receiver.read_all(size)
    except TimeoutError:
        return False
    return True


async def becomes(client: Client, name: str, states: Collection[str]) -> bool:
    """Whether a pipe comes to one of these states in time."""
    limit = time.monotonic() + ARRIVAL
    while (await client.status(name)).get("state") not in states:
        if time.monotonic() > limit:
            return False
        await asyncio.sleep(LOOK)
    return True


async def passes(client: Client) -> Finding:
    """Send one small piece: if that does not pass, nothing else has to be tried."""
    check, name = "stream", new_name()
    receiver = await client.receive(name)
    sender = await client.send(name, len(PIECE))
    with contextlib.suppress(Broken):  # the answer says why
        await sender.write(PIECE)
    async with asyncio.timeout(ANSWER):
        answer = await sender.finish()
    if answer.is_success and await receiver.read_all() == PIECE:
        return ok(check, "what one sends the other receives")
    remedy = NOT_PASSING.get(answer.status)
    return bad(check, f"not even a short stream passes: its sender was told {answer}", remedy)


async def pieces(client: Client, is_known: bool) -> Finding:
    """Send a small piece and pause; then the rest."""
    check, kind = "pieces", "known" if is_known else "unknown"
    name = new_name()
    receiver = await client.receive(name)
    sender = await client.send(name, 2 * len(PIECE) if is_known else None)
    began = time.monotonic()
    await sender.write(PIECE)
    has_come = await arrives(receiver, len(PIECE))
    took = time.monotonic() - began
    has_passed = has_come or (await client.status(name)).get("bytesTransferred", 0) > 0
    await sender.write(PIECE)
    async with asyncio.timeout(ANSWER):
        answer = await sender.finish()
    if not answer.is_success:
        return bad(check, f"a short stream of {kind} length failed: its sender was told {answer}")
    if has_come:
        return ok(check, f"a piece of a stream of {kind} length arrives before the next is sent ({took * 1000:.0f} ms)")
    if has_passed:
        return bad(check, f"a small piece of a stream of {kind} length is kept from its receiver", HOLDS_DOWNLOADS)
    return bad(check, f"an upload of {kind} length is stored before the server gets any of it", STORES_UPLOADS)


async def held_back(client: Client, limit: float) -> Finding:
    """Send to a receiver that reads nothing; little, where nobody takes much."""
    for most in (SWALLOWED, LITTLE):
        name = new_name()
        receiver = await client.receive(name, stands_still=True)
        stream = Stream(await client.send(name), receiver)
        try:
            async with asyncio.timeout(limit):
                await stream.push(most, STILL)
        except TimeoutError:
            text = f"whether a sender is held back: {_mb(stream.accepted)} had left after {limit:.0f} s, and more did"
            return unknown(BACKPRESSURE, text)
        if stream.handed >= most:
            await stream.end(STILL)
            await asyncio.wait([stream.sender.answer], timeout=ARRIVAL)
        if not stream.sender.answer.done():
            return await _go_on(stream, most)
        answer = stream.sender.answer.result()
        if answer.status != TOO_LARGE:
            return _too_early(answer, most)
    return unknown(BACKPRESSURE, "whether a sender is held back: no upload passes")


def _too_early(answer: Answer, most: int) -> Finding:
    """A sender was answered although its receiver had read nothing."""
    if not answer.is_success:
        return bad(BACKPRESSURE, f"a sender whose receiver stood still was told {answer}", CUTS_STILL)
    if most == LITTLE:  # the kernels on the way may hold so little
        return unknown(BACKPRESSURE, "whether downloads are stored: no large upload passes", HOLDS_DOWNLOADS)
    text = f"a sender of {_mb(most)} was told that all had arrived, and its receiver had read nothing"
    return bad(BACKPRESSURE, text, HOLDS_DOWNLOADS)


async def _go_on(stream: Stream, most: int) -> Finding:
    """Let the receiver read what was sent while it stood still."""
    taken, is_all_taken = _mb(stream.accepted), stream.handed >= most
    problem = await stream.finish()
    if problem:
        text = f"a stream whose receiver stood still after {taken} did not go on: {problem}"
        return bad(BACKPRESSURE, text, UNANNOUNCED if problem.is_stuck else CUTS_STILL)
    if not is_all_taken:
        return ok(
            BACKPRESSURE, f"a sender is held back while its receiver reads nothing ({taken}), and every byte arrives"
        )
    if most == LITTLE:
        return ok(BACKPRESSURE, f"{taken} that no receiver has read do not count as arrived; no large upload passes")
    return bad(BACKPRESSURE, f"{taken} of an upload were taken, and its receiver had read nothing", STORES_UPLOADS)


def _mb(size: int) -> str:
    return f"{size / MB:.1f} MB"
