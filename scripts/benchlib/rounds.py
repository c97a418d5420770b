"""The alternating rounds of one work: ours, peer, ours, peer; medians in the end."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchlib import curls, memory
from benchlib.loader import Loader
from benchlib.relay import BrokenRun, Relay
from benchlib.works import GB, Work


@dataclass
class Tally:
    """What one relay did in one work."""

    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    loader: list[float] = field(default_factory=list)  # the loader's own CPU, as a share of one
    framing: set[str] = field(default_factory=set)
    error: str | None = None

    @property
    def rate(self) -> float | None:
        return None if self.error or not self.rates else median(self.rates)

    @property
    def cpu_each(self) -> float | None:
        return None if self.error or not self.cpu else median(self.cpu)


@dataclass(frozen=True)
class Bench:
    """What the rounds need."""

    loader: Loader
    relays: list[Relay]
    rounds: int
    seconds: float  # of one round of small transfers
    folder: Path


def measure(bench: Bench, work: Work) -> dict[str, Tally]:
    """All rounds of one work. A broken run ends its relay's part and is what stands in the table."""
    tallies = {relay.name: Tally() for relay in bench.relays}
    with ExitStack() as stack:
        file = stack.enter_context(curls.source(work.size, bench.folder)) if work.kind == "curl" else None
        for turn in range(bench.rounds + 1):
            for relay in bench.relays:
                tally = tallies[relay.name]
                if tally.error:
                    continue
                try:
                    if turn:
                        _one(bench, work, relay, tally, file)
                    elif work.kind == "stream":
                        bench.loader.verify(work, relay)
                except BrokenRun as broken:
                    tally.error = str(broken)
                    relay.restart()
    return tallies


def _one(bench: Bench, work: Work, relay: Relay, tally: Tally, file: Path | None) -> None:
    if work.kind == "base":
        tally.rates.append(memory.base(relay))
        return
    if work.kind == "waiting":
        tally.rates.append(memory.waiting(relay, bench.loader, work.size))
        return
    before = relay.cpu()
    if work.kind == "small":
        figures = bench.loader.small(work, relay, bench.seconds)
        amount, per = figures["transfers"], 1e6
    elif file is not None:
        seconds = curls.transfer(relay, bench.loader.name(), file, work.stdin)
        figures = {"seconds": seconds}
        amount, per = work.size / GB, 1.0
    else:
        figures = bench.loader.stream(work, relay)
        amount, per = figures["bytes"] * work.receivers / GB, 1.0
        tally.framing.add(figures["framing"])
    tally.rates.append(amount / figures["seconds"])
    tally.cpu.append((relay.cpu() - before) / amount * per)
    if "loader_cpu" in figures:
        tally.loader.append(figures["loader_cpu"] / figures["seconds"])
