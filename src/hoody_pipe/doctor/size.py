"""Whether the size of an upload is limited, by what it says and by what it is."""

import asyncio

from hoody_pipe.client.client import Client
from hoody_pipe.doctor.findings import LIMITS_SIZE, Finding, bad, ok
from hoody_pipe.doctor.flow import MB, TOO_LARGE, WAITING, becomes, new_name
from hoody_pipe.doctor.stream import STANDSTILL, Stream, background

CHECK = "size"
HUGE = 10**15  # bytes, more than any limit
REFUSAL = 3.0  # seconds within which whoever looks at the number has refused


async def declared(client: Client) -> Finding:
    """Announce a petabyte, send nothing of it, and see whether anybody minds."""
    name = new_name()
    sender = await client.send(name, HUGE)
    seen = background(becomes(client, name, WAITING))  # then it was let through
    await asyncio.wait([sender.answer, seen], timeout=REFUSAL, return_when=asyncio.FIRST_COMPLETED)
    status = sender.status
    sender.cut()
    if status in (0, 200):
        return ok(CHECK, "an upload that announces a petabyte is not refused")
    remedy = LIMITS_SIZE if status == TOO_LARGE else None
    return bad(CHECK, f"an upload that announces a petabyte is refused: {status}", remedy)


async def real(client: Client, size: int) -> Finding:
    """Send so many bytes in chunks, and compare them."""
    name = new_name()
    receiver = await client.receive(name)
    stream = Stream(await client.send(name), receiver)
    stream.read()
    await stream.push(size, STANDSTILL)
    problem = await stream.finish()
    if not problem:
        return ok(CHECK, f"{size / MB:g} MB in chunks pass, and every byte arrives")
    remedy = LIMITS_SIZE if stream.sender.status == TOO_LARGE else None
    return bad(CHECK, f"{size / MB:g} MB in chunks do not pass: {problem}", remedy)
