"""A server process and the clients that talk to it, started the way a user starts them."""

import fcntl
import io
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self
from urllib.parse import urlsplit

from blackbox.rawhttp import PATIENCE, Raw

PREFIX = "/api/v1/pipe/"
SOURCE = Path(__file__).parents[2] / "src"


def eventually(condition: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Whether the condition comes true in time."""
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            return False
        time.sleep(0.005)
    return True


class Output:
    """What a process has printed so far; a thread of its own reads it, so that the process never blocks."""

    def __init__(self, source: IO[bytes]) -> None:
        self._data = bytearray()
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._read, args=(source,), daemon=True)
        self._thread.start()

    @property
    def data(self) -> bytes:
        """Everything so far."""
        with self._changed:
            return bytes(self._data)

    def until(self, text: str | bytes, timeout: float = PATIENCE) -> bytes:
        """Wait for a text, return everything so far."""
        wanted = text.encode() if isinstance(text, str) else text
        return self._wait(lambda: wanted in self._data, f"{wanted!r}", timeout)

    def until_size(self, size: int, timeout: float = PATIENCE) -> bytes:
        """Wait for so many bytes, return everything so far."""
        return self._wait(lambda: len(self._data) >= size, f"{size} bytes", timeout)

    def until_end(self, timeout: float = PATIENCE) -> bytes:
        """Wait for the end, return everything."""
        return self._wait(lambda: self._ended, "the end", timeout)

    def _wait(self, condition: Callable[[], bool], wanted: str, timeout: float) -> bytes:
        with self._changed:
            self._changed.wait_for(lambda: condition() or self._ended, timeout)
            assert condition(), f"no {wanted} within {timeout} s, but {bytes(self._data[-2000:])!r}"
            return bytes(self._data)

    def _read(self, source: IO[bytes]) -> None:
        with source:
            while piece := source.read(65536):
                with self._changed:
                    self._data += piece
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()


@dataclass(frozen=True)
class Result:
    """How a process ended."""

    code: int
    out: bytes
    err: str

    @property
    def lines(self) -> list[str]:
        """The output as lines of text."""
        return self.out.decode().splitlines()


class Process:
    """A running process whose output is collected; `stdin` is fed to it and then closed unless `keep_open`."""

    def __init__(self, *command: str, stdin: bytes | None = None, keep_open: bool = False) -> None:
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.out = Output(self.process.stdout)
        self.err = Output(self.process.stderr)
        self._feeder = threading.Thread(target=self._feed, args=(stdin or b"", keep_open), daemon=True)
        self._feeder.start()

    def write(self, data: bytes) -> None:
        """Give it more of its standard input."""
        assert self.process.stdin is not None
        self._feeder.join(PATIENCE)
        try:
            view = memoryview(data)
            while view:
                view = view[self.process.stdin.write(view) :]
        except BrokenPipeError:
            pass

    def end_input(self) -> None:
        """End its standard input."""
        self._feeder.join(PATIENCE)
        if self.process.stdin is not None:
            self.process.stdin.close()

    def finish(self, timeout: float = PATIENCE) -> Result:
        """Wait for its end."""
        out, err = self.out.until_end(timeout), self.err.until_end(timeout)
        code = self.process.wait(timeout)
        self.end_input()
        return Result(code, out, err.decode("utf-8", "replace"))

    def kill(self) -> None:
        """End it with SIGKILL, and wait until it is gone."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def pause(self) -> None:
        """Stop it without ending it."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End it if it still runs, and let go of everything."""
        if self.process.poll() is None:
            self.kill()
        self.end_input()
        self.out.until_end()
        self.err.until_end()

    def _feed(self, data: bytes, keep_open: bool) -> None:
        source = self.process.stdin
        if source is None:
            return
        try:
            view = memoryview(data)
            while view:
                view = view[source.write(view) :]
        except BrokenPipeError:
            pass
        if not keep_open:
            source.close()


class Curl(Process):
    """A real curl; what it says about itself goes to `err`."""

    def __init__(self, *args: str, stdin: bytes | None = None, keep_open: bool = False) -> None:
        quiet = ("-q", "-sSvN", "--noproxy", "*", "--max-time", "60")
        super().__init__("curl", *quiet, *args, stdin=stdin, keep_open=keep_open)

    def asked(self) -> Self:
        """Wait until its request is on the way."""
        self.err.until(b"> \r\n")
        return self


class Clients:
    """The clients of one test; all of them are gone when it ends. Each is made `inside` a network."""

    def __init__(self, url: str, inside: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
        self.url = url
        self._inside = inside
        parts = urlsplit(url)
        self.address = (parts.hostname or "", parts.port or 80)
        self._open: list[Process | Raw] = []
        self._files = tempfile.TemporaryDirectory(prefix="bodies-")

    def pipe(self, name: str, query: str = "") -> str:
        """The URL of a pipe."""
        return f"{self.url}{PREFIX}{name}" + (f"?{query}" if query else "")

    def file(self, body: bytes) -> str:
        """The path of a file that holds `body`."""
        handle, path = tempfile.mkstemp(dir=self._files.name)
        with os.fdopen(handle, "wb") as file:
            file.write(body)
        return path

    def curl(self, *args: str, stdin: bytes | None = None, keep_open: bool = False) -> Curl:
        """A curl with these arguments."""
        with self._inside():
            curl = Curl(*args, stdin=stdin, keep_open=keep_open)
        self._open.append(curl)
        return curl

    def run(self, *command: str, stdin: bytes | None = None) -> Process:
        """Any other program."""
        process = Process(*command, stdin=stdin)
        self._open.append(process)
        return process

    def send(self, name: str, body: bytes, *options: str, query: str = "") -> Curl:
        """`curl -T - URL`: a chunked sender."""
        return self.curl("-T", "-", *options, self.pipe(name, query), stdin=body)

    def send_on(self, name: str, begin: bytes, *options: str, query: str = "") -> Curl:
        """`curl -T . URL`: a chunked sender whose input stays open for more."""
        return self.curl("-T", ".", *options, self.pipe(name, query), stdin=begin, keep_open=True)

    def send_file(self, name: str, body: bytes, *options: str, query: str = "") -> Curl:
        """`curl -T FILE URL`: a sender with a Content-Length."""
        return self.curl("-T", self.file(body), *options, self.pipe(name, query))

    def receive(self, name: str, *options: str, query: str = "") -> Curl:
        """`curl URL`."""
        return self.curl(*options, self.pipe(name, query))

    def raw(self, data: bytes = b"", receive_buffer: int | None = None) -> Raw:
        """A connection on which `data` was sent."""
        with self._inside():
            raw = Raw(self.address, receive_buffer)
        self._open.append(raw)
        return raw.send(data)

    def close(self) -> None:
        """End them all."""
        for client in self._open:
            client.close()
        self._open.clear()
        self._files.cleanup()


class Server:
    """A server process of our own; `log` is everything it prints."""

    def __init__(
        self,
        *flags: str,
        host: str = "127.0.0.1",
        port: int = 0,
        env: dict[str, str] | None = None,
        open_files: tuple[int, int] | None = None,
        stalled_log: bool = False,
    ) -> None:
        """`stalled_log`: its standard error is a pipe that is full, and nobody reads it."""

        def limit_files() -> None:
            if open_files is not None:
                resource.setrlimit(resource.RLIMIT_NOFILE, open_files)

        self._stalled = os.pipe() if stalled_log else ()
        if self._stalled:
            fcntl.fcntl(self._stalled[1], fcntl.F_SETPIPE_SZ, 4096)
            os.write(self._stalled[1], bytes(4096))
        paths = [str(SOURCE), *filter(None, [os.environ.get("PYTHONPATH")])]
        settings = {key: value for key, value in os.environ.items() if not key.startswith("HOODY_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hoody_pipe.cli", "serve", "--host", host, "--port", str(port), *flags],
            env={**settings, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1", **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._stalled[1] if self._stalled else subprocess.PIPE,
            bufsize=0,
            preexec_fn=limit_files if open_files is not None else None,
        )
        assert self.process.stdout is not None
        self.out = Output(self.process.stdout)
        self.err = Output(self.process.stderr or io.BytesIO())
        self.url = ""
        self._clients: Clients | None = None

    def listening(self) -> Self:
        """Wait until it accepts connections."""
        limit = time.monotonic() + PATIENCE
        while not (found := re.search(rb"listening on (http://\S+)\s", self.out.data)):
            assert self.process.poll() is None, self.log
            assert time.monotonic() < limit, self.log
            time.sleep(0.005)
        self.url = found[1].decode()
        return self

    @property
    def address(self) -> str:
        """Host and port."""
        return self.url.removeprefix("http://")

    @property
    def clients(self) -> Clients:
        """Clients of this server."""
        if self._clients is None:
            self._clients = Clients(self.url)
        return self._clients

    @property
    def log(self) -> str:
        """Everything it has printed."""
        return (self.out.data + self.err.data).decode("utf-8", "replace")

    @property
    def rss(self) -> int:
        """Its resident memory in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024

    @property
    def descriptors(self) -> int:
        """How many it has open."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    @property
    def cpu(self) -> float:
        """The CPU seconds it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def ended(self, timeout: float = PATIENCE) -> int:
        """Wait for its end, return its exit code."""
        return self.process.wait(timeout)

    def close(self) -> None:
        """End it and its clients."""
        if self._clients is not None:
            self._clients.close()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(PATIENCE)
        self.out.until_end()
        self.err.until_end()
        for end in self._stalled:
            os.close(end)
