"""The load generator from Python: compile it, run it, read its line."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from benchlib.relay import BrokenRun, Relay
from benchlib.works import MB, Work

TIMEOUT = 60


class Loader:
    """load.c, compiled into `folder`; kept on one CPU where there are several, unless `pin` is off."""

    def __init__(self, folder: Path, pin: bool) -> None:
        self.program = folder / "load"
        cpus = sorted(os.sched_getaffinity(0))
        self.cpu = cpus[-1] if pin and len(cpus) > 1 else None
        self._turn = 0

    def build(self) -> None:
        source = Path(__file__).with_name("load.c")
        subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-pthread", "-o", self.program, source], check=True)

    def command(self, mode: str, *options: object) -> list[str]:
        alone = mode == "sink" or options[:2] == ("-p", 0)  # no relay to stay clear of
        pinned = () if self.cpu is None or alone else ("-k", self.cpu)
        return [str(self.program), mode, *map(str, (*pinned, *options))]

    def run(self, mode: str, *options: object, timeout: int = TIMEOUT) -> dict[str, Any]:
        """One run's figures.

        Raises: BrokenRun with the loader's own words.
        """
        command = self.command(mode, *options, "-t", timeout)
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, timeout=timeout + 30)
        except subprocess.TimeoutExpired as late:
            raise BrokenRun("the loader did not end") from late
        return parse(done.stdout)

    def name(self) -> str:
        """A pipe name never used before."""
        self._turn += 1
        return f"bench-{self._turn}"

    def target(self, relay: Relay) -> tuple[object, ...]:
        return ("-p", relay.port, "-u", self.name())

    def stream(self, work: Work, relay: Relay) -> dict[str, Any]:
        return self.run("stream", *self.target(relay), *shape(work))

    def verify(self, work: Work, relay: Relay) -> None:
        """A shorter run in which every byte is compared; it warms the relay up as well."""
        size = min(max(work.size // 16, MB), 64 * MB)
        self.run("stream", "-v", *self.target(relay), *shape(work), "-b", size)

    def small(self, work: Work, relay: Relay, seconds: float) -> dict[str, Any]:
        return self.run("small", "-p", relay.port, "-n", work.receivers, "-d", seconds)


def shape(work: Work) -> tuple[object, ...]:
    return ("-b", work.size, "-c", work.chunk, "-n", work.receivers)


def parse(line: bytes) -> dict[str, Any]:
    """The loader's line as figures.

    Raises: BrokenRun when it is an error, or no line at all.
    """
    try:
        figures: dict[str, Any] = json.loads(line)
    except ValueError as bad:
        raise BrokenRun("the loader said nothing") from bad
    if "error" in figures:
        raise BrokenRun(figures["error"])
    return figures
