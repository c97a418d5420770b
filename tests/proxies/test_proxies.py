"""No curl lies behind a proxy with the configuration that is shipped (protocol Z.2, Z.4)."""

import hashlib
import os
import signal

import pytest

from blackbox import lines
from blackbox.harness import Clients, Curl, Server, eventually
from blackbox.rawhttp import request
from blackbox.sse import status
from proxies import long

SIZE = 100_000_000
LONG = int(os.environ.get("PROXY_BYTES", 2_000_000_000))
PIECE = bytes(range(256)) * 4096


@pytest.fixture(params=["receiver", "sender", "both"])
def ends(request: pytest.FixtureRequest, through: Clients, server: Server) -> tuple[Clients, Clients]:
    """Through what the sender and the receiver reach the server."""
    sender = through if request.param in ("sender", "both") else server.clients
    receiver = through if request.param in ("receiver", "both") else server.clients
    return sender, receiver


def receive(clients: Clients, name: str, *options: str) -> Curl:
    """A receiver that prints the digest's input to a pipe of ours; certificates are our own."""
    return clients.curl("-k", *options, clients.pipe(name))


def test_every_byte_arrives_although_the_receiver_stands_still(
    ends: tuple[Clients, Clients], server: Server, name: str
) -> None:
    """Both sizes known and not known, with a pause in the middle in which every buffer on the way fills."""
    for framing in ("-T-", "file"):
        body = PIECE * (SIZE // len(PIECE))
        receiver = receive(ends[1], name, "--limit-rate", "200M")
        receiver.out.until_size(0)
        source = ["-T", "-"] if framing == "-T-" else ["-T", ends[0].file(body)]
        sender = ends[0].curl("-kf", *source, ends[0].pipe(name), stdin=body if framing == "-T-" else None)
        receiver.out.until_size(len(PIECE))
        receiver.pause()
        assert eventually(lambda: not moves(server.clients, name)), "every buffer is full"
        receiver.resume()
        got, told = receiver.finish(60), sender.finish(60)
        assert (got.code, told.code) == (0, 0), (framing, told)
        assert hashlib.sha256(got.out).digest() == hashlib.sha256(body).digest()
        assert told.lines[-1] == lines.COMPLETE


def test_a_long_stream_arrives_although_both_sides_stand_still_in_it(
    through: Clients, server: Server, name: str
) -> None:
    """Sender and receiver both behind the proxy; each stops once until nothing moves any more."""
    before = server.rss
    with long.curl(through.pipe(name)) as receiver, long.curl("-T", "-", through.pipe(name)) as sender:
        assert receiver.stdout
        assert sender.stdin
        got = long.Drain(receiver.stdout)
        feed = long.Feed(sender.stdin, LONG, rest=LONG // 3)
        assert feed.is_resting.wait(60)
        assert eventually(lambda: not moves(server.clients, name)), "all that was sent has arrived"
        feed.may_go_on.set()
        assert eventually(lambda: got.size > LONG // 3 * 2, 60)
        receiver.send_signal(signal.SIGSTOP)
        assert eventually(lambda: not moves(server.clients, name)), "every buffer is full"
        assert receiver.poll() is None
        assert sender.poll() is None
        receiver.send_signal(signal.SIGCONT)
        assert feed.finish(60) == got.finish(60)
        assert (sender.wait(10), receiver.wait(10)) == (0, 0)
    assert server.rss < before + 8_000_000


def moves(clients: Clients, name: str) -> bool:
    """Whether bytes move."""
    before = status(clients, name)["bytesTransferred"]
    return eventually(lambda: status(clients, name)["bytesTransferred"] != before, 0.3)


def begin(ends: tuple[Clients, Clients], name: str) -> tuple[Curl, Curl]:
    """A transfer in the middle of its stream, its sender's input still open."""
    receiver = receive(ends[1], name)
    sender = ends[0].curl("-k", "-T", ".", ends[0].pipe(name), stdin=PIECE, keep_open=True)
    receiver.out.until_size(len(PIECE) // 4)  # curl keeps the last of it while its input is silent
    return sender, receiver


def is_free(server: Server, name: str) -> bool:
    """Whether the name can be used again within a second."""
    return eventually(lambda: status(server.clients, name)["state"] not in ("waiting", "streaming"), 1.0)


def test_a_sender_that_dies_fails_the_receiver(ends: tuple[Clients, Clients], server: Server, name: str) -> None:
    """HAProxy 2.6 hides a broken end from clients of HTTP/2: there only the status tells, or a digest."""
    sender, receiver = begin(ends, name)
    sender.kill()
    hides = b"using HTTP/2" in receiver.err.data
    assert receiver.finish().code != 0 or hides
    assert is_free(server, name)
    assert status(server.clients, name)["state"] == "failed"


def test_a_receiver_that_dies_fails_the_sender(ends: tuple[Clients, Clients], server: Server, name: str) -> None:
    sender, receiver = begin(ends, name)
    receiver.kill()
    sender.write(PIECE * 20)
    sender.end_input()
    assert sender.finish().code != 0
    assert is_free(server, name)


def test_a_party_that_waits_and_leaves_frees_the_name(through: Clients, server: Server, name: str) -> None:
    for args in ([], ["-T", through.file(PIECE[:1000])], ["-T", "."]):
        party = through.curl("-k", *args, through.pipe(name), stdin=PIECE[:1000], keep_open=True)
        assert eventually(lambda: status(server.clients, name)["state"] == "waiting")
        party.kill()
        assert is_free(server, name)


def test_a_small_piece_of_a_stream_of_known_length_arrives_at_once(through: Clients, server: Server, name: str) -> None:
    receiver = receive(through, name)
    sender = server.clients.raw(request("PUT", f"/{name}", "Content-Length: 20") + b"0123456789")
    assert receiver.out.until_size(10, 2.0) == b"0123456789"
    sender.send(b"0123456789")
    assert receiver.finish().code == 0


def test_a_sender_that_nobody_wants_fails(through: Clients, server: Server, name: str) -> None:
    sender = through.curl("-k", "-T", through.file(PIECE), through.pipe(name, "wait=1"))
    assert sender.finish().code != 0
    assert is_free(server, name)


def test_a_receiver_waits_longer_than_its_proxy_would(impatient: Clients, server: Server, name: str) -> None:
    """Interim responses keep the proxy's timeout from passing; the answer then is as it should be."""
    receiver = impatient.curl("-kf", impatient.pipe(name))
    receiver.err.until(b"102", 10)
    assert not eventually(lambda: receiver.process.poll() is not None, 4.0)
    sender = server.clients.send_file(name, PIECE, "-f")
    got = receiver.finish()
    assert (got.code, got.out == PIECE) == (0, True)
    assert sender.finish().code == 0
