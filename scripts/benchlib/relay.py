"""A relay as a process of ours: start, stop, and what /proc says about it."""

import ctypes
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class BrokenRun(Exception):
    """A run that gives no figure; the text says why."""


def our_command() -> str:
    """How this checkout's relay starts, in the environment that `environment.enter` went into."""
    return shlex.join([sys.executable, "-m", "hoody_pipe.cli", "serve", "--host", "127.0.0.1", "--port"]) + " {port}"


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Relay:
    """One relay; `{port}` in its command is filled in at each start."""

    def __init__(self, name: str, command: str, log: Path, source: Path | None = None) -> None:
        self.name, self.command, self.log = name, command, log
        self._env = dict(os.environ, PYTHONPATH=str(source)) if source else None
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def start(self) -> None:
        """Starts it and waits until it accepts.

        Raises: BrokenRun when it ends or does not listen within 20 seconds.
        """
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        command = shlex.split(self.command.replace("{port}", str(self.port)))
        with self.log.open("wb") as log:  # stdout is where the peer logs each request: not charged to it
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env=self._env,
                preexec_fn=_die_with_parent,
            )
        deadline = time.monotonic() + 20
        while not self._accepts():
            if self._process.poll() is not None or time.monotonic() > deadline:
                last = self.log.read_text(errors="replace").strip().splitlines()[-1:]
                self.stop()
                raise BrokenRun(f"{self.name} did not start: {' '.join(last) or command[0]}")
            time.sleep(0.05)

    def _accepts(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def restart(self) -> None:
        self.stop()
        self.start()

    def _pids(self) -> Iterator[int]:
        """The process and all below it."""
        if self._process is None or self._process.poll() is not None:
            raise BrokenRun(f"{self.name} has ended")
        queue = [self._process.pid]
        while queue:
            pid = queue.pop()
            yield pid
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                queue += map(int, children.read_text().split())

    def cpu(self) -> float:
        """User and system seconds so far, all threads."""
        total = 0
        for pid in self._pids():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / _TICK

    def status(self, field: str) -> int:
        """A kB field of /proc/PID/status, in bytes, such as VmRSS."""
        return sum(_field(pid, "status", field) * 1024 for pid in self._pids())

    def descriptors(self) -> int:
        """How many it has open."""
        return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in self._pids())

    def written(self) -> int:
        """Bytes written towards a disk."""
        return sum(_field(pid, "io", "write_bytes") for pid in self._pids())

    def forget_peak(self) -> None:
        """Starts VmHWM anew."""
        for pid in self._pids():
            Path(f"/proc/{pid}/clear_refs").write_text("5")

    def settled_rss(self) -> int:
        """VmRSS once it has stood still for a second, or after ten."""
        seen = [self.status("VmRSS")]
        while len(seen) < 50 and (len(seen) < 5 or max(seen[-5:]) - min(seen[-5:]) > 65536):
            time.sleep(0.2)
            seen.append(self.status("VmRSS"))
        return seen[-1]


def _field(pid: int, file: str, name: str) -> int:
    for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0])
    return 0
