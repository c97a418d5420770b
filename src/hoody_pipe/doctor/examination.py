"""All checks, at the same time: each finding comes as soon as it is there."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from hoody_pipe.client.client import Client
from hoody_pipe.doctor import flow, front, idle, size, truth
from hoody_pipe.doctor.findings import Finding, Verdict, bad, left_out
from hoody_pipe.errors import Broken, Unreachable

LONGEST = 60.0  # seconds that a check may take beyond the silence that it is to bear
SHORTEST = 30.0  # seconds in which a sender has to be held back, whatever the patience

Check = Callable[[], Awaitable[Finding]]


@dataclass(frozen=True)
class Plan:
    """What is asked for: seconds of silence, 0 for none; bytes to send."""

    patience: float
    size: int


async def examine(client: Client, seen: front.Front, plan: Plan) -> AsyncIterator[Finding]:
    """Every finding, as it comes."""
    yield front.greeting(seen)
    yield front.upstream(seen)
    yield front.announcement(seen)
    first = await _bounded("stream", partial(flow.passes, client), 0)
    yield first
    if first.verdict is not Verdict.OK:
        return
    if not plan.patience:
        yield left_out("idle", "how much silence is borne")
    running = [asyncio.create_task(_bounded(name, check, plan.patience)) for name, check in _checks(client, plan)]
    for finding in asyncio.as_completed(running):
        yield await finding


def _checks(client: Client, plan: Plan) -> list[tuple[str, Check]]:
    checks: list[tuple[str, Check]] = [
        ("pieces", partial(flow.pieces, client, False)),
        ("pieces", partial(flow.pieces, client, True)),
        ("truth", partial(truth.sender_cut, client, False)),
        ("truth", partial(truth.sender_cut, client, True)),
        ("truth", partial(truth.receiver_cut, client)),
        ("truth", partial(truth.leaving, client)),
        ("size", partial(size.declared, client)),
        ("size", partial(size.real, client, plan.size)),
        ("backpressure", partial(flow.held_back, client, max(SHORTEST, plan.patience))),
    ]
    if plan.patience:
        for check in (idle.sender_waits, idle.receiver_waits, idle.silent, idle.still):
            checks.append(("idle", partial(check, client, plan.patience)))
    return checks


async def _bounded(name: str, check: Check, patience: float) -> Finding:
    limit = LONGEST + patience
    try:
        async with asyncio.timeout(limit):
            return await check()
    except TimeoutError:
        return bad(name, f"a check found no end within {limit:.0f} s")
    except (Broken, Unreachable) as error:
        return bad(name, f"a check broke off: {error}")
