"""Whether silence is borne: of a receiver that waits, of a sender, and of a receiver that takes nothing."""

import asyncio
import math
import time

from hoody_pipe.client.client import Client
from hoody_pipe.doctor.findings import (
    CUTS_SILENT,
    CUTS_STILL,
    CUTS_WAITING,
    UNANNOUNCED,
    Finding,
    Lines,
    bad,
    ok,
    unknown,
)
from hoody_pipe.doctor.flow import ARRIVAL, PIECE, STILL, SWALLOWED, TOO_LARGE, arrives, new_name
from hoody_pipe.doctor.stream import ANSWER, Stream, background
from hoody_pipe.errors import Broken

CHECK = "idle"
SPARE = 60  # seconds that a receiver would wait beyond what is asked


async def sender_waits(client: Client, patience: float) -> Finding:
    """A sender waits, its body complete, then a receiver comes."""
    name = new_name()
    sender = await client.send(f"{name}?wait={math.ceil(patience) + SPARE}", len(PIECE))
    await sender.write(PIECE)
    await sender.end()
    began = time.monotonic()
    await asyncio.wait([sender.answer], timeout=patience)
    if not sender.answer.done():
        receiver = await client.receive(name)
        async with asyncio.timeout(ANSWER):
            got, answer = await receiver.read_all(), await sender.answer
        if got == PIECE and answer.is_success:
            return ok(CHECK, f"a sender may wait for {patience:g} s")
    text = f"a sender that waits is cut after {_since(began)}: it was told {sender.answer.result()}"
    return bad(CHECK, text, CUTS_WAITING)


async def receiver_waits(client: Client, patience: float) -> Finding:
    """A receiver waits, then a sender comes."""
    name = new_name()
    receiver = await client.receive(f"{name}?wait={math.ceil(patience) + SPARE}")
    reading = background(receiver.read_all())
    began = time.monotonic()
    await asyncio.wait([reading], timeout=patience)
    if reading.done():
        return _cut("a receiver that waits is cut", began, reading, CUTS_WAITING)
    sender = await client.send(name)
    await sender.write(PIECE)
    async with asyncio.timeout(ANSWER):
        answer = await sender.finish()
    await asyncio.wait([reading], timeout=ANSWER if answer.is_success else 0)
    if reading.done() and not reading.exception() and reading.result() == PIECE and answer.is_success:
        return ok(CHECK, f"a receiver may wait for {patience:g} s")
    if reading.done() and reading.exception():
        return _cut("a receiver that waits is cut", began, reading, CUTS_WAITING)
    return bad(
        CHECK,
        f"a receiver that has waited for {patience:g} s gets no stream: its sender was told {answer}",
        CUTS_WAITING,
    )


async def silent(client: Client, patience: float) -> Finding:
    """A sender says nothing in the middle of its stream."""
    name = new_name()
    receiver = await client.receive(name)
    sender = await client.send(name)
    await sender.write(PIECE)
    flows = await arrives(receiver, len(PIECE))
    reading = background(receiver.read_all(1))
    began = time.monotonic()
    await asyncio.wait([reading, sender.answer], timeout=patience, return_when=asyncio.FIRST_COMPLETED)
    what = "a stream whose sender is silent is cut"
    if sender.answer.done():
        return bad(CHECK, f"{what} after {_since(began)}: the sender was told {sender.answer.result()}", CUTS_SILENT)
    if reading.done() and flows:
        return _cut(what, began, reading, CUTS_SILENT)
    try:
        await sender.write(PIECE)
    except Broken:
        return bad(CHECK, f"{what} within {_since(began)}", CUTS_SILENT)
    async with asyncio.timeout(ANSWER):
        answer = await sender.finish()
    await asyncio.wait([reading], timeout=ARRIVAL)
    if not answer.is_success or not reading.done() or reading.exception():
        return bad(CHECK, f"{what} within {_since(began)}: the sender was told {answer}", CUTS_SILENT)
    if not flows:
        return unknown(CHECK, f"whether a stream bears {patience:g} s of silence: nothing streams")
    return ok(CHECK, f"a sender may be silent for {patience:g} s")


async def still(client: Client, patience: float) -> Finding:
    """A receiver takes nothing in the middle of a stream."""
    name = new_name()
    receiver = await client.receive(name, stands_still=True)
    stream = Stream(await client.send(name), receiver)
    began = time.monotonic()
    await stream.push(SWALLOWED, STILL)
    what = "a stream whose receiver takes nothing"
    if not stream.sender.answer.done():
        await asyncio.wait([stream.sender.answer], timeout=patience)
    if stream.sender.answer.done():
        answer = stream.sender.answer.result()
        if answer.status == TOO_LARGE:
            return unknown(CHECK, f"whether {what} for {patience:g} s is borne: no upload of some size is let through")
        return bad(CHECK, f"{what} is cut after {_since(began)}: the sender was told {answer}", CUTS_STILL)
    problem = await stream.finish()
    if problem:
        text = f"{what} for {patience:g} s does not go on: {problem}"
        return bad(CHECK, text, UNANNOUNCED if problem.is_stuck else CUTS_STILL)
    return ok(CHECK, f"a receiver may take nothing for {patience:g} s")


def _cut(what: str, began: float, reading: "asyncio.Task[bytes]", remedy: Lines) -> Finding:
    """What the receiver got instead of a stream."""
    error = reading.exception()
    return bad(CHECK, f"{what} after {_since(began)}: {error or 'it got a clean end'}", remedy)


def _since(began: float) -> str:
    return f"{time.monotonic() - began:.0f} s"
