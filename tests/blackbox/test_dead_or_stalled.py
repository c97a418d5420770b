"""A transfer may stall for as long as both ends live; a peer that vanished is noticed in time (protocol Z.3).

DEAD_AFTER and STALL (seconds) make both longer than a test usually takes, up to the defaults of the server:

    DEAD_AFTER=120 STALL=270 ./test -s --timeout 900 tests/blackbox/test_dead_or_stalled.py
"""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field

import pytest

from blackbox import lines
from blackbox.conftest import StartServer
from blackbox.harness import Clients, Server, eventually
from blackbox.network import NEAR, Cable, Unavailable
from blackbox.rawhttp import PATIENCE, Ended, Raw, chunked, request

DEAD_AFTER = float(os.environ.get("DEAD_AFTER", "12"))
STALL = float(os.environ.get("STALL", 2 * DEAD_AFTER))
LONG = ("--max-time", str(STALL + 60))
AS_CURL = "User-Agent: curl/7.88.1"  # its end or its next request is waited for without a limit
BODY = os.urandom(1 << 20)
MUCH = 48  # times the body: more than all buffers on the way take


# Z.3: stalled


def start_offering(sender: Raw, body: bytes) -> None:
    """Send from a thread: much of it has to wait."""
    sender.socket.settimeout(None)
    threading.Thread(target=sender.offer, args=(body,), daemon=True).start()


def test_receivers_that_read_nothing_for_longer_than_the_dead_get_every_byte(private: StartServer, name: str) -> None:
    """Stopped curls in the middle of a stream; programs that read nothing, of much and of what the kernels hold."""
    server = private("--dead-after", str(DEAD_AFTER))
    clients = server.clients
    curls = [clients.receive(f"{name}-{kind}", *LONG).asked() for kind in ("counted", "chunked")]
    raws = [
        clients.raw(request("GET", f"/{name}-{kind}", AS_CURL), receive_buffer=4096)
        for kind in ("much", "sent", "little")
    ]
    for curl in curls:
        curl.pause()
    senders = [
        clients.send_file(f"{name}-counted", BODY * MUCH, *LONG),
        clients.send(f"{name}-chunked", BODY * MUCH, *LONG),
        clients.send(f"{name}-much", BODY * MUCH, *LONG),
        clients.send(f"{name}-sent", BODY[:300_000], *LONG),
        clients.send(f"{name}-little", BODY[:20_000], *LONG),
    ]
    senders[3].out.until(lines.UPLOAD_COMPLETE)
    time.sleep(STALL)
    for curl in curls:
        curl.resume()
    got = [curl.finish() for curl in curls]
    assert [(result.code, result.out == BODY * MUCH) for result in got] == [(0, True)] * 2
    sizes = (BODY * MUCH, BODY[:300_000], BODY[:20_000])
    for raw, body in zip(raws, sizes, strict=True):
        answer = raw.answer()
        assert (answer.complete, answer.body == body) == (True, True)
        raw.half_close()
    assert [sender.finish().code for sender in senders] == [0] * 5


# Z.3: vanished


@dataclass
class Scene:
    """A server, clients near it, and clients that will vanish."""

    near: Clients
    far: Clients
    seen: dict[str, float] = field(default_factory=dict)  # role → seconds until it was noticed
    partners: dict[str, Raw] = field(default_factory=dict)

    def state(self, role: str) -> str:
        """What the server says of the name."""
        answer = self.near.raw(request("GET", f"/{role}?status", "Connection: close")).answer()
        return str(json.loads(answer.body)["state"])

    def is_noticed(self, role: str) -> bool:
        """Whether the name is no longer in use."""
        return self.state(role) not in ("waiting", "streaming")


def receiver_that_waits(scene: Scene, name: str) -> None:
    scene.far.raw(request("GET", f"/{name}?wait=3600"))


def sender_that_waits(scene: Scene, name: str) -> None:
    sender = scene.far.raw(request("PUT", f"/{name}?wait=3600", "Transfer-Encoding: chunked"))
    start_offering(sender, chunked(BODY, end=False))


def receiver_that_blocks(scene: Scene, name: str) -> None:
    scene.far.raw(request("GET", f"/{name}", AS_CURL), receive_buffer=4096)
    sender = scene.partners[name] = scene.near.raw(request("PUT", f"/{name}", f"Content-Length: {MUCH * len(BODY)}"))
    start_offering(sender, BODY * MUCH)
    assert eventually(sender.is_stuck)


def receiver_that_blocks_on_the_tail(scene: Scene, name: str) -> None:
    scene.far.raw(request("GET", f"/{name}", AS_CURL), receive_buffer=4096)
    scene.partners[name] = scene.near.raw(request("PUT", f"/{name}", body=BODY[:300_000]))


def receiver_whose_kernel_has_everything(scene: Scene, name: str) -> None:
    scene.far.raw(request("GET", f"/{name}", AS_CURL), receive_buffer=4 << 20)
    scene.partners[name] = scene.near.raw(request("PUT", f"/{name}", body=BODY[:300_000]))


def receiver_that_reads(scene: Scene, name: str) -> None:
    receiver = scene.far.raw(request("GET", f"/{name}", AS_CURL))
    sender = scene.partners[name] = scene.near.raw(request("PUT", f"/{name}", "Transfer-Encoding: chunked"))

    def trickle() -> None:
        with suppress(OSError):
            while True:
                sender.send(chunked(b"drop", end=False))
                time.sleep(0.1)

    threading.Thread(target=trickle, daemon=True).start()
    receiver.until(b"drop")


def sender_that_streams(scene: Scene, name: str) -> None:
    receiver = scene.near.raw(request("GET", f"/{name}"))
    scene.far.raw(request("PUT", f"/{name}", "Transfer-Encoding: chunked") + chunked(BODY[:30_000], end=False))
    receiver.until(BODY[29_000:30_000])
    scene.partners[name] = receiver


def sender_whose_receiver_blocks(scene: Scene, name: str) -> None:
    scene.partners[name] = scene.near.raw(request("GET", f"/{name}"), receive_buffer=4096)
    sender = scene.far.raw(request("PUT", f"/{name}", f"Content-Length: {MUCH * len(BODY)}"))
    start_offering(sender, BODY * MUCH)
    assert eventually(sender.is_stuck)


ROLES: list[Callable[[Scene, str], None]] = [
    receiver_that_waits,
    sender_that_waits,
    receiver_that_blocks,
    receiver_that_blocks_on_the_tail,
    receiver_whose_kernel_has_everything,
    receiver_that_reads,
    sender_that_streams,
    sender_whose_receiver_blocks,
]
NAMES = [role.__name__ for role in ROLES]


@pytest.fixture(scope="module")
def vanished() -> Iterator[Scene]:
    """One cable pulled out for all roles at once, since most of the time is spent waiting."""
    if os.environ.get("HOODY_URL"):
        pytest.skip("HOODY_URL is given, this test needs a server of its own")
    try:
        cable = Cable()
    except Unavailable as reason:
        pytest.skip(str(reason))
    with ExitStack() as stack:
        stack.enter_context(cable)
        with cable.near.inside():
            server = Server("--dead-after", str(DEAD_AFTER), host=NEAR)
        stack.callback(server.close)
        near, far = (Clients(server.listening().url, end.inside) for end in (cable.near, cable.far))
        stack.callback(near.close)
        stack.callback(far.close)
        scene = Scene(near, far)
        for role in ROLES:
            role(scene, role.__name__)
        assert eventually(lambda: not any(map(scene.is_noticed, NAMES)))
        _pull(cable, scene)
        yield scene
    assert "Traceback" not in server.log, server.log


def _pull(cable: Cable, scene: Scene) -> None:
    cable.pull()
    began = time.monotonic()
    while len(scene.seen) < len(NAMES) and time.monotonic() < began + 2 * DEAD_AFTER:
        time.sleep(DEAD_AFTER / 100)
        for name in NAMES:
            if name not in scene.seen and scene.is_noticed(name):
                scene.seen[name] = time.monotonic() - began
                print(f"{name.replace('_', ' ')}: noticed after {scene.seen[name]:.1f} s")


@pytest.mark.parametrize("role", NAMES)
def test_a_peer_that_vanished_is_noticed_in_time_and_its_name_is_free(vanished: Scene, role: str) -> None:
    assert vanished.seen.get(role, 9e9) < DEAD_AFTER
    if role in vanished.partners:
        check_truth(vanished.partners[role], is_sender=role.startswith("receiver"))
    receiver = vanished.near.receive(role)
    sender = vanished.near.send(role, b"free again")
    assert (receiver.finish().out, sender.finish().code) == (b"free again", 0)


def check_truth(partner: Raw, is_sender: bool) -> None:
    """The other end is broken, and a sender was told why."""
    partner.socket.settimeout(PATIENCE)
    if is_sender:
        partner.until(lines.ALL_LEFT.encode())
    with pytest.raises(Ended):
        partner.until(b"0\r\n\r\n")
