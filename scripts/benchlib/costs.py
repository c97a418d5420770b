"""What a digest and a thousand spectators cost: rounds with and without, alternating, in one run."""

import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

from benchlib.loader import Loader
from benchlib.relay import BrokenRun, Relay
from benchlib.works import GB, Work, chosen

HEADINGS = ("work", "rate", "beside", "ratio", "goal", "")
SPECTATORS = 1000
HASHED = 2 * GB
WATCHED = 16 * GB  # long enough for many intervals
_HASH_ALONE = f"""
import hashlib, time
piece, digest, started = bytes(1 << 20), hashlib.sha256(), time.perf_counter()
for _ in range({HASHED // 4 >> 20}):
    digest.update(piece)
print(({HASHED // 4 >> 20} << 20) / 1e9 / (time.perf_counter() - started))
"""


def hashing(relay: Relay, loader: Loader, rounds: int, quick: bool) -> list[list[str]]:
    """GB/s of hashed streams beside hashlib alone on one core."""
    lines = []
    for work in chosen("cl,chunked-64k", quick):
        hashed, alone = [], []
        for _ in range(rounds):
            alone.append(float(subprocess.check_output([sys.executable, "-c", _HASH_ALONE])))
            options = (*loader.target(relay), "-q", "&sha256", *_shape(work, HASHED, quick))
            figures = loader.run("stream", *options)
            hashed.append(figures["bytes"] / GB / figures["seconds"])
        lines.append(_line(f"{work.title}, ?sha256", median(hashed), median(alone), 0.8))
    return lines


def watching(relay: Relay, loader: Loader, rounds: int, quick: bool) -> list[list[str]]:
    """GB/s of a stream with many spectators beside that of one with none."""
    lines = []
    for work in chosen("cl,chunked-64k", quick):
        rates: dict[bool, list[float]] = {True: [], False: []}
        for turn in range(rounds * 2):
            watched = turn % 2 == 0
            rates[watched].append(
                _watched(relay, loader, work, quick) if watched else _plain(relay, loader, work, quick)
            )
        title = f"{work.title}, {SPECTATORS} spectators"
        lines.append(_line(title, median(rates[True]), median(rates[False]), 0.9))
    return lines


def _plain(relay: Relay, loader: Loader, work: Work, quick: bool, name: str | None = None) -> float:
    options = ("-p", relay.port, "-u", name or loader.name())
    figures: dict[str, Any] = loader.run("stream", *options, *_shape(work, WATCHED, quick))
    return float(figures["bytes"] / GB / figures["seconds"])


def _watched(relay: Relay, loader: Loader, work: Work, quick: bool) -> float:
    name = loader.name()
    command = [sys.executable, "-m", "benchlib.crowd", str(relay.port), name, str(SPECTATORS)]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as crowd:
        assert crowd.stdout is not None
        if crowd.stdout.readline() != b"watching\n":
            raise BrokenRun("the spectators did not all get in")
        rate = _plain(relay, loader, work, quick, name)
        said, _ = crowd.communicate()
        if said != b"all saw it done\n":
            raise BrokenRun(f"the spectators: {said.decode()}")
    return rate


def _shape(work: Work, size: int, quick: bool) -> tuple[object, ...]:
    return ("-b", size // (4 if quick else 1), "-c", work.chunk, "-n", 1)


def _line(title: str, rate: float, beside: float, goal: float) -> list[str]:
    ratio = rate / beside
    met = "met" if ratio >= goal else "missed"
    return [title, f"{rate:.2f} GB/s", f"{beside:.2f} GB/s", f"{ratio:.2f}", f"≥ {goal:g}x", met]
