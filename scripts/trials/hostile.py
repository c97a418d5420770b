"""scripts/hostile: very many bad inputs, and afterwards the server is as it was before."""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path

from benchlib import netns
from benchlib.relay import BrokenRun, Relay, our_command

from trials.client import Exchange, ask, last_line
from trials.inputs import Input, inputs

ROOT = Path(__file__).resolve().parents[2]
COMPLETE = "[INFO] Transfer complete."
PATIENCE = 10.0  # seconds in which every connection must end
WARM = 5_000  # inputs until the server has what it uses again and again
ROUND = 10_000  # inputs in memory here
FEW_OUTCOMES = " --outcomes 1000"  # what is remembered of transfers that ended is not what is looked for
GROWTH = 6  # MB by which memory may differ: Python gives it back by the megabyte
SPARE = 4  # descriptors of kernel pipes that are kept for reuse


class Beside:
    """A transfer that runs all the time: it must not feel anything."""

    def __init__(self, port: int, size: int) -> None:
        self._port, self._size = port, size
        self._sent = 0

    async def begin(self) -> None:
        self._receiver = await ask(self._port, "GET", "beside")
        self._sender = await ask(self._port, "PUT", "beside", f"Content-Length: {self._size}")
        self._body = self._receiver.body()

    async def go_on(self) -> None:
        """One more byte, and it has to arrive."""
        byte = bytes([self._sent % 256])
        self._sender.writer.write(byte)
        if await asyncio.wait_for(anext(self._body), PATIENCE) != byte:
            raise BrokenRun("the transfer beside it got other bytes")
        self._sent += 1

    async def end(self) -> None:
        if await asyncio.wait_for(last_line(self._sender), PATIENCE) != COMPLETE:
            raise BrokenRun("the transfer beside it was not complete")
        self._sender.close()
        self._receiver.close()


class Trial:
    """One server under attack."""

    def __init__(self, relay: Relay, at_once: int) -> None:
        self._relay, self._at_once = relay, at_once
        self.answers: Counter[str] = Counter()
        self.hangs: list[Input] = []

    @property
    def tried(self) -> int:
        """How many have come to an end, or to none."""
        return sum(self.answers.values()) + len(self.hangs)

    async def attack(self, source: list[Input]) -> None:
        """Try them all, some at the same time; from time to time the transfer beside them goes on."""
        rounds = [source[at : at + self._at_once] for at in range(0, len(source), self._at_once)]
        beside = Beside(self._relay.port, len(rounds))
        await beside.begin()
        for each in rounds:
            await asyncio.gather(*(self._try(bad, number) for number, bad in enumerate(each)))
            await beside.go_on()
        await beside.end()

    async def _try(self, bad: Input, number: int) -> None:
        try:
            await asyncio.wait_for(self._send(bad, number), PATIENCE)
        except TimeoutError:
            self.hangs.append(bad)
        except OSError as error:
            self.answers[type(error).__name__] += 1

    async def _send(self, bad: Input, number: int) -> None:
        async with self._connection() as receiver, self._connection() as sender:
            receiver.writer.write(bad.receiver)
            await self._make_it_end(sender, bad.data, number)
            receiver.writer.write_eof()
            await receiver.reader.read()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Exchange]:
        exchange = Exchange(*await asyncio.open_connection("127.0.0.1", self._relay.port))
        try:
            yield exchange
        finally:
            exchange.close()

    async def _make_it_end(self, exchange: Exchange, data: bytes, number: int) -> None:
        """Every eighth cuts the line, every other one in two pieces; the others say that nothing more comes."""
        reader, writer = exchange.reader, exchange.writer
        if number % 2:
            writer.write(data[: len(data) // 2])
            await writer.drain()
            await asyncio.sleep(0)
            data = data[len(data) // 2 :]
        writer.write(data)
        if number % 8 == 0:
            writer.transport.abort()
            self.answers["cut"] += 1
            return
        writer.write_eof()
        answer = await reader.read()
        self.answers[answer[9:12].decode("latin-1") if answer else "nothing"] += 1


def options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/hostile", description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000, help="bad inputs (default 100000)")
    parser.add_argument("--at-once", type=int, default=100, help="connections at the same time (default 100)")
    parser.add_argument("--seed", type=int, default=1, help="of the mutations (default 1)")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    args = options(argv)
    print(f"hostile: {netns.isolate()}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        relay = Relay("ours", our_command() + FEW_OUTCOMES, log, ROOT / "src")
        relay.start()
        try:
            return _report(relay, log, args)
        except (BrokenRun, OSError) as broken:
            print(f"hostile: {broken!r}", file=sys.stderr)
            return 1
        finally:
            relay.stop()


def _report(relay: Relay, log: Path, args: argparse.Namespace) -> int:
    source = inputs(random.Random(args.seed))
    trial = Trial(relay, args.at_once)
    asyncio.run(trial.attack(list(islice(source, WARM))))
    before, open_before = relay.settled_rss(), relay.descriptors()
    began = time.monotonic()
    for done in range(0, args.inputs, ROUND):
        asyncio.run(trial.attack(list(islice(source, min(ROUND, args.inputs - done)))))
    seconds = time.monotonic() - began
    after, open_after = relay.settled_rss(), relay.descriptors()
    crashes = log.read_text(errors="replace").count("Traceback")
    print(" ".join(f"{answer}:{number}" for answer, number in trial.answers.most_common()))
    print(
        f"bad inputs tried: {trial.tried}, crashes {crashes}, hangs {len(trial.hangs)}, "
        f"memory before {before / 1e6:.1f} MB, after {after / 1e6:.1f} MB, "
        f"descriptors {open_before} and {open_after}, {seconds:.0f} s"
    )
    for bad in trial.hangs[:3]:
        print(f"hung: {bad}")
    if crashes:
        print(log.read_text(errors="replace")[-4000:])
    grows = after - before > GROWTH * 1e6 or open_after - open_before > SPARE
    return 1 if crashes or trial.hangs or grows else 0
