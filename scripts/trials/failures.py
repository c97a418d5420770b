"""What can go wrong in a transfer, each as something that is done to it in the middle of its stream."""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from subprocess import TimeoutExpired

from blackbox.harness import Clients, Curl, Server

SIZE = 40_000_000  # bytes
RATE = "25M"  # per second, so that there is a middle
BEGUN = 2_000_000  # bytes that a receiver has when it strikes
LIMIT = 20.0  # seconds until a curl counts as hanging
STALL = 0.7  # seconds


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
            old = ("--http1.0",) if self.framing == "HTTP/1.0" else ()
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


def nothing(run: Run) -> None:
    run.receive(rate="10G")
    run.send()


def sender_killed(run: Run) -> None:
    run.begin()
    run.kill(run.sender)


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
    "receiver killed": receiver_killed,
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
    """The exit code of a curl, or None if it hangs."""
    try:
        return curl.process.wait(LIMIT)
    except TimeoutExpired:
        return None
