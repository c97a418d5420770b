"""Whether a broken stream looks broken to who is left (protocol Z.2), and whether the name is free afterwards."""

import asyncio
import time

from hoody_pipe.client.client import Client
from hoody_pipe.doctor.findings import HIDES_BREAKS, HIDES_LOSSES, KEEPS_WHO_LEFT, Finding, bad, ok, unknown
from hoody_pipe.doctor.flow import ARRIVAL, PIECE, WAITING, arrives, becomes, new_name
from hoody_pipe.doctor.stream import ANSWER
from hoody_pipe.errors import Broken

CHECK = "truth"
FIRST = bytes(256 * 1024)  # large enough to pass where small pieces are kept
LENGTH = 800_000  # bytes; below the commonest limit of a size
FREE = ARRIVAL  # seconds until a name has to be free
MORE = 16 * 1024  # bytes at a time, after a receiver was cut
PAUSE = 0.05  # seconds between them
TIMES = 20
ATTEMPT = 2.0  # seconds
ENDED = {"idle", "complete", "failed"}
NOTHING_FLOWS = "whether a broken stream looks broken: nothing streams"


async def sender_cut(client: Client, is_known: bool) -> Finding:
    """Cut a sender in the middle: its receiver must not get a clean end."""
    kind, name = "known" if is_known else "unknown", new_name()
    receiver = await client.receive(name)
    sender = await client.send(name, LENGTH if is_known else None)
    await sender.write(FIRST)
    if not await arrives(receiver, 1):
        return unknown(CHECK, NOTHING_FLOWS)
    sender.cut()
    what = f"a stream of {kind} length whose sender is cut"
    try:
        async with asyncio.timeout(ANSWER):
            await receiver.read_all()
    except Broken:
        return await _then_free(client, name, f"{what} breaks at its receiver")
    except TimeoutError:
        return bad(CHECK, f"{what} is never ended: its receiver still waited after {ANSWER:.0f} s", KEEPS_WHO_LEFT)
    return bad(CHECK, f"{what} ends cleanly: its receiver takes a part for the whole", HIDES_BREAKS)


async def receiver_cut(client: Client) -> Finding:
    """Cut a receiver in the middle: its sender must not be told of success."""
    name = new_name()
    receiver = await client.receive(name)
    sender = await client.send(name)
    await sender.write(FIRST)
    if not await arrives(receiver, 1):
        return unknown(CHECK, NOTHING_FLOWS)
    receiver.cut()
    try:
        for _ in range(TIMES):
            if sender.answer.done():
                break
            await sender.write(bytes(MORE))
            await asyncio.sleep(PAUSE)
    except Broken:
        pass  # its answer says how it ended
    what = "a stream whose receiver is cut"
    try:
        async with asyncio.timeout(ANSWER):
            answer = await sender.finish()
    except TimeoutError:
        return bad(CHECK, f"{what} never ends: its sender still waited after {ANSWER:.0f} s", HIDES_LOSSES)
    if answer.is_success:
        return bad(CHECK, f"{what} is a success to its sender", HIDES_LOSSES)
    return await _then_free(client, name, f"{what} fails at its sender")


async def leaving(client: Client) -> Finding:
    """Whoever waits and goes away frees the name."""
    name = new_name()
    receiver = await client.receive(name)
    if not await becomes(client, name, WAITING):
        return bad(CHECK, "a receiver is not seen by the server")
    receiver.cut()
    if not await becomes(client, name, ENDED):
        return bad(CHECK, f"a receiver that waited and left still holds its name after {FREE:.0f} s", KEEPS_WHO_LEFT)
    sender = await client.send(name)
    await sender.write(PIECE)
    await sender.end()
    if not await becomes(client, name, WAITING):
        return bad(CHECK, "a sender is not seen by the server")
    sender.cut()
    if not await becomes(client, name, ENDED):
        return bad(CHECK, f"a sender that waited and left still holds its name after {FREE:.0f} s", KEEPS_WHO_LEFT)
    return ok(CHECK, "who waits and leaves frees the name")


async def _then_free(client: Client, name: str, text: str) -> Finding:
    """The name carries another stream."""
    limit = time.monotonic() + FREE
    while not await _carries(client, name):
        if time.monotonic() > limit:
            return bad(CHECK, f"{text}, but its name is still taken after {FREE:.0f} s", KEEPS_WHO_LEFT)
        await asyncio.sleep(PAUSE)
    return ok(CHECK, f"{text}, and its name is free")


async def _carries(client: Client, name: str) -> bool:
    receiver, sender = await client.receive(name), await client.send(name)
    try:
        async with asyncio.timeout(ATTEMPT):
            await sender.write(PIECE)
            answer = await sender.finish()
            return answer.is_success and await receiver.read_all() == PIECE
    except (Broken, TimeoutError):
        return False
    finally:
        receiver.cut()
        sender.cut()
