"""What can go wrong in a transfer, each as something that is done to it in the middle of its stream."""

import signal
import socket
import ssl
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from subprocess import TimeoutExpired
from urllib.parse import urlsplit

from blackbox.harness import Clients, Curl, Server, eventually
from blackbox.rawhttp import chunked, request

SIZE = 40_000_000  # bytes
RATE = "25M"  # per second, so that there is a middle
BEGUN = 2_000_000  # bytes that a receiver has when it strikes
LIMIT = 20.0  # seconds until a curl counts as hanging
STALL = 0.7  # seconds
HELD_BACK = 4  # seconds after which a proxy that has forwarded nothing will forward nothing before the end


@dataclass
class Run:
    """One transfer: its curls, and who of them is not expected to say anything any more."""

    server: Server
    near: Clients  # through the route
    name: str
    framing: str
    body: bytes
    sender: Curl | None = None
    receivers: list[Curl] = field(default_factory=list)
    dead: list[Curl] = field(default_factory=list)
    cut: int | None = None  # bytes after which the sender's input ended early

    def receive(self, count: int = 1, query: str = "", rate: str = RATE) -> None:
        """Start receivers."""
        options = ("-skf", "--limit-rate", rate)
        self.receivers += [self.near.curl(*options, self.near.pipe(self.name, query)) for _ in range(count)]

    def send(self, query: str = "", keep_open: bool = False) -> None:
        """Start the sender; with `keep_open` its input ends only when somebody ends it."""
        url = self.near.pipe(self.name, query)
        if self.framing == "chunked":
            self.sender = self.near.curl("-skfT", "-", url, stdin=self.body, keep_open=keep_open)
        else:
            old = ("--http1.0", "--no-alpn") if self.framing == "HTTP/1.0" else ()
            self.sender = self.near.curl("-skf", *old, "-T", self.near.file(self.body), url)

    def begin(self, count: int = 1, query: str = "") -> None:
        """Start both sides and wait until the stream is in its middle."""
        self.receive(count, query)
        self.send(query)
        for receiver in self.receivers:
            receiver.out.until_size(BEGUN, LIMIT)

    def kill(self, curl: Curl | None) -> None:
        """End one of the curls with SIGKILL."""
        if curl is not None:
            curl.kill()
            self.dead.append(curl)


class Bare:
    """A party made of one socket, over TLS where the route is: for ends that no curl can be made to have."""

    def __init__(self, run: Run, method: str, *fields: str) -> None:
        self._socket = socket.create_connection(run.near.address, LIMIT)
        if run.near.url.startswith("https:"):
            trusting = ssl._create_unverified_context()
            trusting.set_alpn_protocols(["http/1.1"])
            self._socket = trusting.wrap_socket(self._socket)
        url, minor = urlsplit(run.near.pipe(run.name)), 0 if run.framing == "HTTP/1.0" else 1
        self._socket.sendall(request(method, url.path, *fields, minor=minor, host=url.netloc))

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self._socket.sendall(data)

    def read(self, size: int) -> None:
        """Read so many bytes."""
        while size > 0:
            piece = self._socket.recv(min(size, 1 << 16))
            assert piece, "ended early"
            size -= len(piece)

    def finish(self) -> None:
        """End in good order, then read whatever comes."""
        self._socket.shutdown(socket.SHUT_WR)
        with suppress(OSError):
            while self._socket.recv(1 << 16):
                pass
        self._socket.close()

    def reset(self) -> None:
        """End with a reset."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()


def half_sent(run: Run) -> Bare:
    """A sender of whose body a half is out, and a receiver that has some of it, unless a proxy holds all of it back."""
    run.receive(query=f"wait={HELD_BACK + 1}")
    half = run.body[: SIZE // 2]
    if run.framing == "chunked":
        sender = Bare(run, "PUT", "Transfer-Encoding: chunked")
        half = chunked(half, end=False)
    else:
        sender = Bare(run, "PUT", f"Content-Length: {SIZE}")
    sender.send(half)
    eventually(lambda: len(run.receivers[0].out.data) >= BEGUN, HELD_BACK)
    return sender


def nothing(run: Run) -> None:
    run.receive(rate="10G")
    run.send()


def sender_killed(run: Run) -> None:
    run.begin()
    run.kill(run.sender)


def sender_reset(run: Run) -> None:
    half_sent(run).reset()


def sender_finished_early(run: Run) -> None:
    half_sent(run).finish()


def receiver_reset(run: Run) -> None:
    receiver = Bare(run, "GET")
    run.send()
    receiver.read(BEGUN)
    receiver.reset()


def receiver_killed(run: Run) -> None:
    run.begin()
    run.kill(run.receivers[0])


def receiver_stalled_and_killed(run: Run) -> None:
    run.begin()
    run.receivers[0].pause()
    time.sleep(STALL)
    run.kill(run.receivers[0])


def one_of_three_killed(run: Run) -> None:
    run.begin(3, "n=3")
    run.kill(run.receivers[1])


def nobody_receives(run: Run) -> None:
    run.send("wait=1")


def nobody_sends(run: Run) -> None:
    run.receive(query="wait=1")


def server_killed(run: Run) -> None:
    run.begin()
    run.server.process.kill()


def server_stopped(run: Run) -> None:
    run.begin()
    run.server.signal(signal.SIGTERM)


def producer_killed(run: Run) -> None:
    """`producer | curl -T -`: the shell tells curl nothing but that there is no more input."""
    run.cut = len(run.body)
    run.body = run.body[: SIZE // 2]
    run.receive()
    run.send()


Failure = Callable[[Run], None]

FAILURES: dict[str, Failure] = {
    "nothing": nothing,
    "sender killed": sender_killed,
    "sender reset": sender_reset,
    "sender ends early (FIN)": sender_finished_early,
    "receiver killed": receiver_killed,
    "receiver reset": receiver_reset,
    "receiver stalled, then killed": receiver_stalled_and_killed,
    "one of three receivers killed": one_of_three_killed,
    "nobody receives": nobody_receives,
    "nobody sends": nobody_sends,
    "server killed": server_killed,
    "server stopped (SIGTERM)": server_stopped,
    "producer behind curl killed": producer_killed,
}
ENDS_SERVER = {"server killed", "server stopped (SIGTERM)"}


def code_of(curl: Curl) -> int | None:
    """The exit code of a curl that has ended, with everything that it has printed read, or None if it hangs."""
    try:
        code = curl.process.wait(LIMIT)
    except TimeoutExpired:
        return None
    curl.out.until_end(LIMIT)
    return code
