"""scripts/load: thousands wait while a thousand transfers run, every byte is compared, and nothing is left behind."""

import argparse
import asyncio
import os
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from benchlib import netns
from benchlib.relay import BrokenRun, Relay, our_command

from trials.client import Exchange, ask, last_line

ROOT = Path(__file__).resolve().parents[2]
COMPLETE = "[INFO] Transfer complete."
PERIOD = 65_521  # bytes, a prime: where a transfer's pattern repeats fits no buffer's size
PATTERN = os.urandom(PERIOD)
ENDLESS = PATTERN * 4  # every stretch of up to PIECE bytes of the pattern is a slice of it
PIECE = 128 * 1024
AT_ONCE = 200  # connections that are being opened at the same time
GROWTH = 8  # MB by which the rounds' figures may differ: Python gives memory back by the megabyte
BATCH = 1000  # waiting pairs that are served at the same time in the end


def stretch(number: int, begin: int, size: int) -> bytes:
    """Bytes of the body of one transfer: each has its own place in the pattern."""
    start = (number * 7919 + begin) % PERIOD
    return ENDLESS[start : start + size]


class Waiter:
    """A sender and one of the two receivers it waits for."""

    def __init__(self, port: int, number: int) -> None:
        self._port, self._number = port, number
        self._parties: list[Exchange] = []

    async def arrive(self) -> None:
        target = f"waiting-{self._number}?n=2&wait=3600"
        self._parties.append(await ask(self._port, "PUT", target, "Content-Length: 1000"))
        self._parties.append(await ask(self._port, "GET", target))

    async def be_served(self) -> None:
        """The second receiver comes: everybody gets what the sender has."""
        sender, receiver = self._parties
        late = await ask(self._port, "GET", f"waiting-{self._number}?n=2")
        body = stretch(self._number, 0, 1000)
        sender.writer.write(body)
        for party in (receiver, late):
            if b"".join([piece async for piece in party.body()]) != body:
                raise BrokenRun(f"waiting pair {self._number} got other bytes")
            party.close()
        if await last_line(sender) != COMPLETE:
            raise BrokenRun(f"waiting sender {self._number} was not told of its success")
        sender.close()


class Transfer:
    """One running transfer of `size` bytes; with odd numbers chunked."""

    def __init__(self, port: int, number: int, size: int) -> None:
        self._port, self._number, self._size = port, number, size
        self._sent = self._got = 0

    async def begin(self) -> None:
        """Both ends are there, and the first half has arrived."""
        framing = "Transfer-Encoding: chunked" if self._number % 2 else f"Content-Length: {self._size}"
        self._receiver = await ask(self._port, "GET", f"running-{self._number}")
        self._sender = await ask(self._port, "PUT", f"running-{self._number}", framing)
        self._body = self._receiver.body()
        await asyncio.gather(self._send(self._size // 2), self._take(self._size // 2))

    async def end(self) -> None:
        """The other half, and the end of both."""
        await asyncio.gather(self._send(self._size), self._take(self._size))
        if self._number % 2:
            self._sender.writer.write(b"0\r\n\r\n")
        async for _ in self._body:
            raise BrokenRun(f"transfer {self._number} got too much")
        self._receiver.close()
        if await last_line(self._sender) != COMPLETE:
            raise BrokenRun(f"sender {self._number} was not told of its success")
        self._sender.close()

    async def _send(self, until: int) -> None:
        while self._sent < until:
            piece = stretch(self._number, self._sent, min(PIECE, until - self._sent))
            self._sent += len(piece)
            framed = b"%x\r\n%b\r\n" % (len(piece), piece) if self._number % 2 else piece
            self._sender.writer.write(framed)
            await self._sender.writer.drain()

    async def _take(self, until: int) -> None:
        while self._got < until:
            piece = await anext(self._body)
            for at in range(0, len(piece), PIECE):
                part = piece[at : at + PIECE]
                if part != stretch(self._number, self._got, len(part)):
                    raise BrokenRun(f"transfer {self._number} got other bytes after {self._got}")
                self._got += len(part)


async def each(doings: Iterable[Callable[[], Awaitable[None]]], at_once: int) -> None:
    """Do them all, so many at the same time; the first failure ends it."""
    turnstile = asyncio.Semaphore(at_once)

    async def one(do: Callable[[], Awaitable[None]]) -> None:
        async with turnstile:
            await do()

    async with asyncio.TaskGroup() as group:
        for do in doings:
            group.create_task(one(do))


class Trial:
    """One server, and what is seen of it."""

    def __init__(self, relay: Relay, args: argparse.Namespace) -> None:
        self._relay, self._args = relay, args
        self.rate = 0.0  # MB/s of all transfers together, with every byte compared

    def figures(self) -> tuple[float, int]:
        """Resident MB and open descriptors."""
        return self._relay.settled_rss() / 1e6, self._relay.descriptors()

    async def run(self) -> list[tuple[float, int]]:
        """The figures before, with all that is there at once, and afterwards.

        Raises: BrokenRun when a byte or an answer is wrong.
        """
        args, port = self._args, self._relay.port
        waiters = [Waiter(port, number) for number in range(args.waiting // 2)]
        transfers = [Transfer(port, number, args.size) for number in range(args.transfers)]
        seen = [self.figures()]
        await each((waiter.arrive for waiter in waiters), AT_ONCE)
        await each((transfer.begin for transfer in transfers), AT_ONCE)
        seen.append(self.figures())
        began = time.monotonic()
        await each((transfer.end for transfer in transfers), args.transfers)
        self.rate = args.transfers * args.size / 2 / (time.monotonic() - began) / 1e6
        await each((waiter.be_served for waiter in waiters), BATCH)
        for _ in range(50):
            if self._relay.descriptors() <= seen[0][1] + args.kept:
                break
            await asyncio.sleep(0.1)
        return [*seen, self.figures()]


def options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/load", description=__doc__)
    parser.add_argument("--waiting", type=int, default=10_000, help="parties that wait (default 10000)")
    parser.add_argument("--transfers", type=int, default=1000, help="transfers that run (default 1000)")
    parser.add_argument("--size", type=int, default=4_000_000, help="bytes of each transfer (default 4000000)")
    parser.add_argument("--rounds", type=int, default=2, help="rounds against the same server (default 2)")
    parser.add_argument("--flags", default="", metavar="TEXT", help="more flags for the server")
    parser.set_defaults(kept=2 * 128)  # kernel pipes that the server keeps for reuse
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    args = options(argv)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(f"load: {netns.isolate()}", flush=True)
    print("| round | RSS before | at once | after | descriptors before | at once | after | rate |", flush=True)
    print("| --- " * 8 + "|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        relay = Relay("ours", our_command() + " " + args.flags, Path(folder) / "log", ROOT / "src")
        try:
            relay.start()
            trial = Trial(relay, args)
            seen = [_round(trial, number) for number in range(1, args.rounds + 1)]
        except (BrokenRun, OSError, ExceptionGroup) as broken:
            print(f"load: {broken!r}", file=sys.stderr)
            return 1
        finally:
            relay.stop()
    first, last = seen[0], seen[-1]
    print(f"{args.waiting} waited and {args.transfers} ran at once in each of {args.rounds} rounds; 0 bytes were lost")
    leaks = last[2][1] > first[0][1] + args.kept
    grows = last[2][0] > first[2][0] + GROWTH
    if leaks or grows:
        print(f"load: {'descriptors leak' if leaks else 'memory grows from round to round'}", file=sys.stderr)
    return 1 if leaks or grows else 0


def _round(trial: Trial, number: int) -> list[tuple[float, int]]:
    seen = asyncio.run(trial.run())
    cells = [f"{rss:.1f} MB" for rss, _ in seen] + [str(descriptors) for _, descriptors in seen]
    print(f"| {number} | {' | '.join(cells)} | {trial.rate:.0f} MB/s |", flush=True)
    return seen
