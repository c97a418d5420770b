"""Any system call may fail at any time: no name gets stuck, no curl lies, nobody else notices, nothing leaks.

Each test sweeps one call through one kind of transfer. FAULTS=all tries every error at every place instead of one each.
"""

import errno
import json
import os
import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from blackbox import lines
from blackbox.harness import Clients, eventually
from blackbox.rawhttp import Raw, chunked, request
from faults.faulty import SOCKET_CALLS, FaultyServer, Plan
from hoody_pipe.config import Config

CALLS = ("accept", "epoll_ctl", "pipe2", "fcntl", "splice", "tee", "ioctl", *SOCKET_CALLS)
ERRORS = tuple(getattr(errno, "E" + name) for name in ["MFILE", "NOBUFS", "PIPE", "CONNRESET", "NOMEM", "INVAL", "IO"])
PLACES = None if os.environ.get("FAULTS") == "all" else 4  # of each call: how many of its occurrences fail in turn
BODY = os.urandom(700_000)
STUCK = 28  # curl: --max-time has passed


@dataclass(frozen=True)
class Kind:
    """One kind of transfer."""

    sender: tuple[str, ...]
    size: int
    count: int = 1
    options: tuple[str, ...] = ()  # of the receivers
    query: str = ""  # of the sender


KINDS = {
    "counted": Kind(("-T", "{file}"), 700_000),
    "counted to two": Kind(("-T", "{file}"), 700_000, 2),
    "chunked": Kind(("-H", "Transfer-Encoding: chunked", "-T", "{file}"), 700_000),
    "chunked to HTTP/1.0": Kind(("-H", "Transfer-Encoding: chunked", "-T", "{file}"), 300_000, 1, ("-0",)),
    "hashed": Kind(("-T", "{file}"), 700_000, query="&sha256"),
    "form": Kind(("-F", "file=@{file}"), 300_000),
    "short": Kind(("-T", "{file}"), 10),
}


@dataclass
class Scene:
    """A faulty server and a transfer that runs through it from the first test to the last."""

    server: FaultyServer
    clients: Clients
    receiver: Raw
    sender: Raw
    tried: int = 0
    counts: Counter[str] = field(default_factory=Counter)  # of the calls of the last transfer

    def run(self, kind: Kind, plan: Plan | None) -> None:
        """One transfer; both ends of it must tell the truth, and its name must be free afterwards."""
        name = "f-" + secrets.token_hex(8)
        body = BODY[: kind.size]
        query = f"n={kind.count}&wait=1"
        clients = Clients(self.server.url)
        try:
            file = clients.file(body)
            self.server.faults.arm(plan)
            receivers = [
                clients.receive(name, "-f", "--max-time", "8", *kind.options, query=query) for _ in range(kind.count)
            ]
            sender = clients.curl(
                "-f",
                "--max-time",
                "8",
                *(part.format(file=file) for part in kind.sender),
                clients.pipe(name, query + kind.query),
            )
            got = [receiver.finish() for receiver in receivers]
            told = sender.finish()
        finally:
            self.tried += 1
            self.counts = self.server.faults.counts.copy()
            self.server.faults.arm(None)
            clients.close()
        context = (plan, told.code, told.lines, [result.code for result in got])
        assert STUCK not in (told.code, *(result.code for result in got)), context
        assert all(result.code or result.out == body for result in got), ("a receiver lies", context)
        whole = [result.code for result in got] == [0] * kind.count
        if told.code == 0:
            assert whole, ("the sender lies", context)
            assert told.lines[-1] == lines.COMPLETE, context
        if plan is None:
            assert (told.code, whole) == (0, True), context
        assert self.is_free(name), context

    def is_free(self, name: str) -> bool:
        """Whether two strangers can meet there."""
        state = request("GET", f"/{name}?status", "Connection: close")
        with Raw(self.clients.address) as asking:
            if json.loads(asking.send(state).answer().body)["state"] in ("waiting", "streaming"):
                return False
        with Raw(self.clients.address) as receiver, Raw(self.clients.address) as sender:
            receiver.send(request("GET", f"/{name}", "Connection: close"))
            sender.send(request("PUT", f"/{name}", body=b"free"))
            return receiver.answer().body == b"free" and sender.answer().lines[-1] == lines.COMPLETE


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    """One server; a transfer that began before all faults must end well after them, and every descriptor comes back."""
    if os.environ.get("HOODY_URL"):
        pytest.skip("HOODY_URL is given, this test needs a server of its own")
    server = FaultyServer(Config(port=0, linger=0.5, grace=0.2))
    clients = Clients(server.url)
    receiver = clients.raw(request("GET", "/bystander"))
    sender = clients.raw(request("PUT", "/bystander", "Transfer-Encoding: chunked") + chunked(BODY[:9000], end=False))
    assert receiver.until(BODY[8000:9000])
    at_start = descriptors()
    scene = Scene(server, clients, receiver, sender)
    try:
        yield scene
        assert eventually(lambda: descriptors() <= at_start + 2 * 8, 5), "descriptors leak"  # 8 pipes kept for reuse
        sender.send(chunked(BODY[9000:]))
        assert receiver.until(BODY[-1000:])
        assert receiver.until(b"0\r\n\r\n")
        sender.until(lines.COMPLETE.encode())
    finally:
        clients.close()
        server.close()
    print(f"{scene.tried} transfers, {server.faults.struck} faults")


def descriptors() -> int:
    """How many this process has open."""
    return len(os.listdir("/proc/self/fd"))


def places(count: int) -> list[int]:
    """Which occurrences of a call shall fail: the first ones, and some up to the last."""
    if PLACES is None or count <= PLACES:
        return list(range(1, count + 1))
    return sorted({*range(1, PLACES - 1), count // 2, count})


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_system_call_that_fails_leaves_no_name_stuck_and_no_curl_lies(
    scene: Scene, caplog: pytest.LogCaptureFixture, kind: str, call: str
) -> None:
    scene.run(KINDS[kind], None)
    plans = [
        Plan(call, nth, error)
        for place, nth in enumerate(places(scene.counts[call]))
        for error in (ERRORS if PLACES is None else (ERRORS[(place + CALLS.index(call)) % len(ERRORS)],))
    ]
    for plan in plans:
        scene.run(KINDS[kind], plan)
    assert not [record for record in caplog.records if "defect" in record.message], plans
