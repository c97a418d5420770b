"""The contract of the movers: the same rules on splice, tee and copy, over real TCP sockets."""

import os
import select
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from hoody_pipe.errors import BadFraming, SenderGone, Unsupported
from hoody_pipe.plane import mover
from hoody_pipe.plane.copy import SCRATCH, Begun, CopyMover
from hoody_pipe.plane.kpipe import PipePool
from hoody_pipe.plane.mover import Mover
from hoody_pipe.plane.sink import Sink
from hoody_pipe.plane.splice import SpliceMover
from hoody_pipe.plane.tee import TeeMover
from hoody_pipe.wire.chunked import ChunkedDecoder, CountedDecoder

HEAD = b"a response head\r\n\r\n"
MEGABYTE = bytes(range(256)) * 4096
LIMIT = 20.0  # seconds


def tcp_pair() -> tuple[socket.socket, socket.socket]:
    """A connected pair; the second end does not block, as those the movers get."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    client.settimeout(LIMIT)
    server.setblocking(False)
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client, server


@dataclass
class Scene:
    """A sender, receivers, and the mover between them; the test plays both kinds of client."""

    sender: socket.socket
    receivers: list[socket.socket]
    sinks: list[Sink]
    source: socket.socket
    pool: PipePool
    mover: Mover
    got: list[bytes] = field(default_factory=list)

    def turn(self) -> None:
        """Let the mover do what it can, as the pump would after an edge."""
        for sink in self.sinks:
            sink.blocked = False
        while self.mover.advance():
            pass

    def run(self, until: Callable[[], bool]) -> None:
        """Turn whenever a socket is ready, until the condition holds."""
        epoll = select.epoll()
        for sock in [self.source, *(sink.sock for sink in self.sinks)]:
            epoll.register(sock, select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET)
        with closing(epoll):
            self.turn()
            while not until():
                assert epoll.poll(LIMIT), "nothing happens any more"
                self.turn()

    def all_done(self) -> bool:
        return self.mover.body_read and all(sink.done for sink in self.mover.sinks)


Maker = Callable[[socket.socket, list[Sink], int, PipePool], Mover]


def splice(source: socket.socket, sinks: list[Sink], length: int, pool: PipePool) -> Mover:
    return SpliceMover(source, sinks[0], length, pool)


def tee(source: socket.socket, sinks: list[Sink], length: int, pool: PipePool) -> Mover:
    return TeeMover(source, sinks, length, pool)


def copy(source: socket.socket, sinks: list[Sink], length: int, pool: PipePool) -> Mover:
    return CopyMover(source, sinks, CountedDecoder(length), bytearray(SCRATCH))


MOVERS = {"splice": (splice, 1), "tee": (tee, 3), "copy to one": (copy, 1), "copy to three": (copy, 3)}
Stage = Callable[[int], Scene]


@pytest.fixture(params=MOVERS)
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """Build a scene for a body of so many bytes."""
    make, count = MOVERS[request.param]
    with ExitStack() as stack:
        pool = PipePool(64)
        stack.callback(pool.close)

        def build(length: int) -> Scene:
            scene = set_up(stack, make, count, length, pool)
            stack.callback(scene.mover.close)
            return scene

        yield build


def set_up(stack: ExitStack, make: Maker, count: int, length: int, pool: PipePool) -> Scene:
    sender, source = tcp_pair()
    receivers, sinks = [], []
    for _ in range(count):
        receiver, server = tcp_pair()
        receivers.append(receiver)
        sinks.append(Sink(server, HEAD))
        stack.callback(receiver.close)
        stack.callback(server.close)
    stack.callback(sender.close)
    stack.callback(source.close)
    return Scene(sender, receivers, sinks, source, pool, make(source, list(sinks), length, pool))


class Reader(threading.Thread):
    """Reads one receiver's end until it has `size` bytes or the stream ends."""

    def __init__(self, sock: socket.socket, size: int) -> None:
        super().__init__(daemon=True)
        self._sock = sock
        self._size = size
        self.data = bytearray()
        self.start()

    def run(self) -> None:
        while len(self.data) < self._size:
            piece = self._sock.recv(1 << 20)
            if not piece:
                return
            self.data += piece

    def result(self) -> bytes:
        self.join(LIMIT)
        return bytes(self.data)


def send_all(sock: socket.socket, data: bytes) -> threading.Thread:
    def send() -> None:
        with suppress(OSError):  # some tests end before the sender does
            sock.sendall(data)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    return thread


def reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("size", [1, 70_000, 9_000_001])
def test_every_receiver_gets_the_head_and_then_every_byte(stage: Stage, size: int) -> None:
    scene = stage(size)
    body = (MEGABYTE * 9 + b"x")[:size]
    readers = [Reader(receiver, len(HEAD) + size) for receiver in scene.receivers]
    thread = send_all(scene.sender, body)
    scene.run(scene.all_done)
    assert [reader.result() for reader in readers] == [HEAD + body] * len(readers)
    assert scene.mover.moved == size
    thread.join(LIMIT)


def test_body_bytes_that_came_before_the_mover_are_not_missed(stage: Stage) -> None:
    scene = stage(5)
    scene.sender.sendall(b"early")
    scene.run(scene.all_done)
    readers = [Reader(receiver, len(HEAD) + 5) for receiver in scene.receivers]
    assert [reader.result() for reader in readers] == [HEAD + b"early"] * len(readers)


def test_what_follows_the_body_stays_in_the_socket(stage: Stage) -> None:
    scene = stage(70_000)
    readers = [Reader(receiver, len(HEAD) + 70_000) for receiver in scene.receivers]
    scene.sender.sendall(MEGABYTE[:70_000] + b"GET / HTTP/1.1")
    scene.run(scene.all_done)
    assert scene.source.recv(100) == b"GET / HTTP/1.1"
    assert all(len(reader.result()) == len(HEAD) + 70_000 for reader in readers)


@pytest.mark.parametrize("bound", ["BUDGET", "TURN"])
def test_a_call_that_takes_the_last_byte_leaves_no_sink_undone(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    """However soon a call must end: before the next one its receiver may have read everything and left."""
    monkeypatch.setattr(mover, bound, 0)
    scene = stage(3)
    scene.sender.sendall(b"abc")
    select.select([scene.source], [], [], LIMIT)
    scene.mover.advance()
    assert scene.mover.body_read
    assert [sink.done for sink in scene.sinks] == [True] * len(scene.sinks)


def test_a_clogged_receiver_stops_the_sender_and_nothing_is_lost(stage: Stage) -> None:
    size = 40_000_000
    scene = stage(size)
    body = (MEGABYTE * 40)[:size]
    thread = send_all(scene.sender, body)
    readers = [Reader(receiver, len(HEAD) + size) for receiver in scene.receivers[1:]]
    clogged = scene.sinks[0]
    scene.run(lambda: clogged.blocked)
    moved_before = -1
    while moved_before != scene.mover.moved:  # until the kernel's buffers are full to the brim
        moved_before = scene.mover.moved
        select.select([scene.source], [], [], 0.05)
        scene.turn()
    assert moved_before < size
    assert len(clogged.unsent) <= 64 * 1024
    readers.insert(0, Reader(scene.receivers[0], len(HEAD) + size))
    scene.run(scene.all_done)
    assert all(reader.result() == HEAD + body for reader in readers)
    thread.join(LIMIT)


def test_a_trickle_passes_byte_by_byte_at_once(stage: Stage) -> None:
    scene = stage(4)
    for receiver in scene.receivers:
        receiver.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    scene.turn()
    assert all(receiver.recv(100) == HEAD for receiver in scene.receivers)
    for number in range(4):
        scene.sender.sendall(b"%d" % number)
        scene.run(lambda count=number + 1: scene.mover.moved == count)  # type: ignore[misc]
        assert [receiver.recv(100) for receiver in scene.receivers] == [b"%d" % number] * len(scene.receivers)
    assert scene.all_done()


def test_a_sender_that_resets_is_reported(stage: Stage) -> None:
    scene = stage(1_000_000)
    scene.sender.sendall(b"x" * 1000)
    scene.run(lambda: scene.mover.moved == 1000)
    reset(scene.sender)
    with pytest.raises(SenderGone):
        scene.run(lambda: False)


def test_a_sender_that_closes_early_is_reported_after_its_bytes_were_moved(stage: Stage) -> None:
    scene = stage(1_000_000)
    scene.sender.sendall(b"x" * 1000)
    scene.sender.shutdown(socket.SHUT_WR)
    with pytest.raises(SenderGone):
        scene.run(lambda: False)
    assert scene.mover.moved == 1000
    assert not any(sink.done for sink in scene.sinks)


def test_a_receiver_that_resets_is_lost_and_the_others_get_everything(stage: Stage) -> None:
    size = 20_000_000
    scene = stage(size)
    body = (MEGABYTE * 20)[:size]
    readers = [Reader(receiver, len(HEAD) + size) for receiver in scene.receivers[1:]]
    reset(scene.receivers[0])
    thread = send_all(scene.sender, body)
    scene.run(lambda: scene.all_done() if readers else bool(scene.mover.lost))
    assert scene.mover.lost == [scene.sinks[0]]
    assert all(reader.result() == HEAD + body for reader in readers)
    scene.sender.close() if not readers else thread.join(LIMIT)


def test_a_receiver_that_is_dropped_gets_nothing_more(stage: Stage) -> None:
    scene = stage(1_000_000)
    scene.sender.sendall(b"x" * 1000)
    scene.run(lambda: scene.mover.moved == 1000)
    scene.mover.drop(scene.sinks[0])
    moved = scene.mover.moved
    scene.sender.sendall(b"y" * 1000)
    if len(scene.sinks) == 1:
        scene.turn()
        assert scene.mover.moved == moved
    else:
        scene.run(lambda: scene.mover.moved == 2000)
    assert scene.sinks[0] not in scene.mover.sinks


def test_a_half_closed_receiver_still_gets_everything(stage: Stage) -> None:
    scene = stage(200_000)
    for receiver in scene.receivers:
        receiver.shutdown(socket.SHUT_WR)
    readers = [Reader(receiver, len(HEAD) + 200_000) for receiver in scene.receivers]
    thread = send_all(scene.sender, MEGABYTE[:200_000])
    scene.run(scene.all_done)
    assert all(reader.result() == HEAD + MEGABYTE[:200_000] for reader in readers)
    thread.join(LIMIT)


def test_a_closed_mover_leaves_no_descriptor_behind(stage: Stage) -> None:
    scene = stage(50_000_000)
    before = open_descriptors()
    thread = send_all(scene.sender, bytes(3_000_000))
    scene.run(lambda: scene.mover.moved > 100_000)
    scene.mover.close()
    assert open_descriptors() <= before + 2 * 64  # pipes that wait for reuse
    scene.pool.close()
    scene.pool.null = os.open(os.devnull, os.O_WRONLY)
    assert open_descriptors() == before
    scene.sender.close()
    thread.join(LIMIT)


@pytest.mark.parametrize("make", [splice, tee])
def test_without_a_kernel_pipe_nothing_is_lost_and_the_copy_mover_goes_on(make: Maker) -> None:
    with ExitStack() as stack:
        pool = PipePool(0)
        stack.callback(pool.close)
        scene = set_up(stack, make, 1, 200_000, pool)
        readers = [Reader(receiver, len(HEAD) + 200_000) for receiver in scene.receivers]
        scene.sender.sendall(MEGABYTE[:200_000])
        with pytest.raises(Unsupported):
            scene.run(scene.all_done)
        old = scene.mover
        body = CountedDecoder(200_000 - old.moved)
        scene.mover = CopyMover(scene.source, old.sinks, body, bytearray(SCRATCH), Begun(old.moved))
        scene.run(scene.all_done)
        assert readers[0].result() == HEAD + MEGABYTE[:200_000]
        assert scene.mover.moved == 200_000


def test_chunks_pass_as_they_came_to_those_who_take_chunks_and_as_data_to_the_others() -> None:
    body = b"5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nT: 1\r\n\r\n"
    with ExitStack() as stack:

        def mixed(source: socket.socket, sinks: list[Sink], length: int, pool: PipePool) -> Mover:
            sinks[0].own_chunks, sinks[0].tail = True, b"0\r\n\r\n"
            return CopyMover(source, sinks, ChunkedDecoder(framed=False), bytearray(SCRATCH))

        scene = set_up(stack, mixed, 2, 0, PipePool(0))
        scene.sender.sendall(body + b"NEXT")
        scene.run(scene.all_done)
        for sink in scene.sinks:
            sink.sock.shutdown(socket.SHUT_WR)
        chunked, plain = (Reader(receiver, 1000).result() for receiver in scene.receivers)
        assert plain == HEAD + b"hello world"
        assert chunked == HEAD + b"b\r\nhello world\r\n0\r\n\r\n"
        assert scene.mover.leftover == b"NEXT"


@pytest.mark.parametrize("leading", [b"5\r\nhel", b"5\r\nhello\r\n0\r\n\r\nNEXT", b"5"])
def test_bytes_that_were_read_before_come_first(leading: bytes) -> None:
    whole = b"5\r\nhello\r\n0\r\n\r\nNEXT"
    with ExitStack() as stack:

        def leading_first(source: socket.socket, sinks: list[Sink], length: int, pool: PipePool) -> Mover:
            return CopyMover(source, sinks, ChunkedDecoder(False), bytearray(SCRATCH), Begun(leading=leading))

        scene = set_up(stack, leading_first, 1, 0, PipePool(0))
        scene.sender.sendall(whole[len(leading) :])
        scene.run(scene.all_done)
        scene.sinks[0].sock.shutdown(socket.SHUT_WR)
        assert Reader(scene.receivers[0], 1000).result() == HEAD + b"hello"
        assert scene.mover.leftover == b"NEXT"


def test_bad_framing_stops_the_copy_mover() -> None:
    with ExitStack() as stack:

        def chunked(source: socket.socket, sinks: list[Sink], length: int, pool: PipePool) -> Mover:
            return CopyMover(source, sinks, ChunkedDecoder(framed=True), bytearray(SCRATCH))

        scene = set_up(stack, chunked, 1, 0, PipePool(0))
        scene.sender.sendall(b"5\r\nhelloX")
        with pytest.raises(BadFraming):
            scene.run(scene.all_done)


def test_a_body_that_is_hard_to_read_is_moved_in_short_turns() -> None:
    """Chunks of one byte in changing forms are read one by one: few bytes take long."""
    body = b"1\r\na\r\n01\r\na\r\n" * 20_000 + b"0\r\n\r\n"
    with ExitStack() as stack:

        def hard(source: socket.socket, sinks: list[Sink], length: int, pool: PipePool) -> Mover:
            return CopyMover(source, sinks, ChunkedDecoder(framed=False), bytearray(SCRATCH), Begun(leading=body))

        mover = set_up(stack, hard, 1, 0, PipePool(0)).mover
        moved = [0]
        while mover.advance():
            moved.append(mover.moved)
        assert mover.body_read
        assert moved[1] < 20_000
        assert max(later - earlier for earlier, later in pairwise(moved[1:])) < 6_000


def test_an_empty_body_is_the_head_and_the_tail() -> None:
    with ExitStack() as stack:
        scene = set_up(stack, copy, 2, 0, PipePool(0))
        scene.run(scene.all_done)
        assert [receiver.recv(100) for receiver in scene.receivers] == [HEAD, HEAD]
