"""Upgrades: a new server takes over from a running one, and nobody notices."""

import hashlib
import os
import random
import re
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from blackbox import lines
from blackbox.conftest import StartServer
from blackbox.harness import Clients, Server, eventually
from blackbox.rawhttp import Raw, chunked, request
from hoody_pipe.shell import channel as channels
from hoody_pipe.shell.estate import VERSION

UPGRADES = 10
Upgrade = Callable[[], Server]


# beyond the protocol: upgrades


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Where servers hand over."""
    return str(tmp_path / "handover")


@pytest.fixture
def server(private: StartServer, path: str) -> Server:
    """A server that may be succeeded."""
    return private("--handover", path)


@pytest.fixture
def upgrade(private: StartServer, path: str, server: Server) -> Upgrade:
    """Starts a successor, which serves when this returns."""

    def start() -> Server:
        successor = private("--handover", path, "--port", "0")
        assert successor.url == server.url
        return successor

    return start


@pytest.mark.parametrize("receiver_first", [True, False])
def test_who_waits_at_the_old_server_meets_who_comes_to_the_new_one(
    server: Server, upgrade: Upgrade, name: str, receiver_first: bool
) -> None:
    clients = server.clients
    if receiver_first:
        receiver = clients.receive(name).asked()
        upgrade()
        assert server.ended() == 0
        sender = clients.send(name, b"across")
    else:
        sender = clients.send(name, b"across")
        sender.out.until(lines.waiting())
        upgrade()
        assert server.ended() == 0
        receiver = clients.receive(name)
    assert receiver.finish().out == b"across"
    done = sender.finish()
    assert (done.code, done.lines) == (0, lines.whole(there=int(receiver_first)))


def test_a_waiting_fan_out_goes_on_where_it_was(server: Server, upgrade: Upgrade, name: str) -> None:
    clients = server.clients
    receivers = [clients.raw(request("GET", f"/{name}?n=3")), clients.raw(request("GET", f"/{name}?n=3"))]
    sender = clients.raw(request("PUT", f"/{name}?n=3", body=b"to all"))
    sender.until(lines.already(2).encode() + b"\n")
    upgrade()
    receivers[0].close()
    sender.until(lines.RECEIVER_LEFT.encode())
    receivers += [clients.raw(request("GET", f"/{name}?n=3")) for _ in range(2)]
    assert [receiver.answer().body for receiver in receivers[1:]] == [b"to all"] * 3
    sender.until(b"\n" + lines.COMPLETE.encode())


FORM = b'--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nbody\r\n--b--\r\n'


@pytest.mark.parametrize(
    "sends",
    [
        request("PUT", "/NAME", minor=0, body=b"body"),
        request("PUT", "/NAME?quiet", body=b"body"),
        request("PUT", "/NAME", "Via: 1.1 proxy", "Transfer-Encoding: chunked") + chunked(b"bo", b"dy"),
        request("PUT", "/NAME", "Expect: 100-continue", body=b"body"),
        request("POST", "/NAME", "Content-Type: multipart/form-data; boundary=b", body=FORM),
    ],
    ids=["http 1.0", "quiet", "behind a proxy", "expects to be told to go on", "form"],
)
def test_any_kind_of_sender_may_wait_through_an_upgrade(
    server: Server, upgrade: Upgrade, name: str, sends: bytes
) -> None:
    sender = server.clients.raw(sends.replace(b"NAME", name.encode()))
    assert eventually(lambda: b'"waiting"' in server.clients.raw(request("GET", f"/{name}?status")).answer().body)
    upgrade()
    assert server.clients.raw(request("GET", f"/{name}")).answer().body == b"body"
    told = sender.answer()
    assert (told.status, told.complete, told.lines) == (200, True, lines.whole())


def test_patience_is_not_renewed(server: Server, upgrade: Upgrade, name: str) -> None:
    receiver = server.clients.raw(request("GET", f"/{name}?wait=3"))
    start = time.monotonic()
    upgrade()
    assert receiver.answer().status == 408
    assert 2.5 < time.monotonic() - start < 4.9


def test_a_half_sent_head_and_an_idle_connection_go_on(server: Server, upgrade: Upgrade, name: str) -> None:
    clients = server.clients
    half, idle = clients.raw(b"GET /robots.txt HT"), clients.raw(request("GET", "/robots.txt"))
    assert idle.answer().status == 200
    upgrade()
    assert server.ended() == 0
    assert half.send(b"TP/1.1\r\nHost: x\r\n\r\n").answer().status == 200
    assert idle.send(request("GET", "/robots.txt")).answer().status == 200


def test_a_running_transfer_ends_at_the_old_server_and_holds_its_name(
    server: Server, upgrade: Upgrade, name: str
) -> None:
    clients = server.clients
    receiver = clients.raw(request("GET", f"/{name}"))
    sender = clients.raw(request("PUT", f"/{name}", "Transfer-Encoding: chunked"))
    sender.until(lines.streaming().encode())
    for _ in range(2):
        upgrade()
        assert server.process.poll() is None
        refused = clients.raw(request("GET", f"/{name}")).answer()
        assert (refused.status, refused.lines) == (
            400,
            [f"[ERROR] Path '/{name}' is already in use by an active transfer."],
        )
    sender.send(chunked(b"to the end") + request("PUT", f"/{name}", body=b"and again"))
    assert receiver.answer().body == b"to the end"
    sender.until(lines.COMPLETE.encode() + b"\n\r\n0\r\n\r\n")
    assert receiver.send(request("GET", f"/{name}")).answer().body == b"and again"
    assert sender.answer().lines[-1] == lines.COMPLETE
    assert server.ended() == 0


def test_a_name_is_free_as_soon_as_its_old_transfer_has_ended(server: Server, upgrade: Upgrade, name: str) -> None:
    """The new server finds the request and the news of that end at the same time."""
    clients = server.clients
    pairs = []
    for number in range(20):
        receiver = clients.raw(request("GET", f"/{name}-{number}"))
        sender = clients.raw(request("PUT", f"/{name}-{number}", "Content-Length: 1"))
        sender.until(lines.streaming().encode())
        pairs.append((receiver, sender))
    heir = upgrade()
    for number, (receiver, sender) in enumerate(pairs):
        again = clients.raw(request("GET", "/robots.txt"))
        assert again.answer().status == 200
        heir.signal(signal.SIGSTOP)
        sender.send(b".")
        assert receiver.answer().body == b"."
        sender.until(lines.COMPLETE.encode())
        again.send(request("PUT", f"/{name}-{number}", body=b"?"))
        heir.signal(signal.SIGCONT)
        assert again.head().status == 200


def test_when_the_old_server_is_killed_its_names_are_free(server: Server, upgrade: Upgrade, name: str) -> None:
    clients = server.clients
    receiver = clients.raw(request("GET", f"/{name}"))
    sender = clients.raw(request("PUT", f"/{name}", "Content-Length: 100"))
    sender.until(lines.streaming().encode())
    upgrade()
    server.process.kill()
    assert not receiver.answer().complete
    fresh = clients.receive(name)
    assert clients.send(name, b"fresh").finish().code == 0
    assert fresh.finish().out == b"fresh"


def test_receipts_and_last_outcomes_are_known_to_the_new_server(server: Server, upgrade: Upgrade, name: str) -> None:
    """Those of transfers that ended before, and of those that end in the old server."""
    clients = server.clients

    def asked(query: str) -> bytes:
        return clients.raw(request("GET", f"/{name}?status&{query}")).answer().body

    receiver = clients.raw(request("GET", f"/{name}"))
    clients.raw(request("PUT", f"/{name}?transfer=first-{name}", body=b"x"))
    assert receiver.answer().body == b"x"
    assert eventually(lambda: b'"bytesTransferred": 1,' in asked(f"transfer=first-{name}"))
    before = asked(f"transfer=first-{name}")
    receiver = clients.raw(request("GET", f"/{name}"))
    sender = clients.raw(request("PUT", f"/{name}?transfer=second-{name}", "Content-Length: 2"))
    sender.until(lines.streaming().encode())
    upgrade()
    assert asked(f"transfer=first-{name}") == asked("last") == before
    sender.send(b"xx")
    assert receiver.answer().body == b"xx"
    sender.until(lines.COMPLETE.encode())
    after = asked(f"transfer=second-{name}")
    assert b'"bytesTransferred": 2,' in after
    assert after == asked("last") == asked("")
    taken = clients.raw(request("PUT", f"/{name}?transfer=second-{name}", body=b"x")).answer()
    assert (taken.status, taken.lines) == (409, ["[ERROR] Transfer id already in use."])


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("kept")
    server = Server("--handover", str(precious))
    assert server.ended() == 2
    server.close()
    assert precious.read_text() == "kept"
    assert len(server.log.splitlines()) == 1


def test_a_signal_after_the_handover_lets_running_transfers_finish(server: Server, upgrade: Upgrade, name: str) -> None:
    """A service manager that stops both servers sends each of them its first signal."""
    clients = server.clients
    receiver = clients.raw(request("GET", f"/{name}"))
    sender = clients.raw(request("PUT", f"/{name}", "Content-Length: 5"))
    sender.until(lines.streaming().encode())
    upgrade()
    server.signal(signal.SIGTERM)
    sender.send(b"whole")
    assert receiver.answer().body == b"whole"
    assert server.ended() == 0


def test_the_newest_server_ends_last(server: Server, upgrade: Upgrade, name: str) -> None:
    """So that a service manager does not end those that still drain; who comes back to them is not kept waiting."""
    clients = server.clients
    receiver = clients.raw(request("GET", f"/{name}"))
    sender = clients.raw(request("PUT", f"/{name}", "Content-Length: 5"))
    sender.until(lines.streaming().encode())
    newest = upgrade()
    for each in (server, newest):
        each.signal(signal.SIGTERM)
    assert not eventually(lambda: newest.process.poll() is not None, 0.3)
    sender.send(b"whole")
    assert receiver.answer().body == b"whole"
    assert receiver.ends_within(1)
    assert (server.ended(), newest.ended()) == (0, 0)


@pytest.mark.parametrize("says", ["nothing", "heir", "version"])
def test_a_successor_that_fails_leaves_everything_as_it_was(
    server: Server, upgrade: Upgrade, path: str, name: str, says: str
) -> None:
    clients = server.clients
    receiver = clients.receive(name).asked()
    running = clients.raw(request("GET", f"/{name}-2"))
    sender = clients.raw(request("PUT", f"/{name}-2", "Content-Length: 4"))
    sender.until(lines.streaming().encode())
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
        sock.connect(path)
        channel = channels.Channel(sock)
        if says != "nothing":
            channel.send({"type": "heir", "version": VERSION + (says == "version")})
        if says == "heir":
            fds = channel.receive()[1]
            for fd in fds:
                os.close(fd)
    assert clients.send(name, b"unharmed").finish().code == 0
    assert receiver.finish().out == b"unharmed"
    sender.send(b"same")
    assert running.answer().body == b"same"
    assert eventually(lambda: "did not take over" in server.log)
    upgrade()
    assert server.ended() == 0


def test_a_file_left_by_a_killed_server_is_no_obstacle(private: StartServer, path: str) -> None:
    private("--handover", path).process.kill()
    server = private("--handover", path)
    assert os.stat(path).st_mode & 0o777 == 0o600
    server.signal(signal.SIGTERM)
    assert server.ended() == 0
    assert not os.path.exists(path)


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """What a service manager listens on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(20)
        yield sock


def test_on_sighup_it_starts_its_successor_and_tells_the_service_manager(
    private: StartServer, path: str, manager: socket.socket, name: str
) -> None:
    server = private("--handover", path, env={"NOTIFY_SOCKET": manager.getsockname()})
    assert manager.recv(1000) == f"MAINPID={server.process.pid}\nREADY=1".encode()
    receiver = server.clients.receive(name).asked()
    server.signal(signal.SIGHUP)
    told = re.fullmatch(rb"MAINPID=(\d+)\nREADY=1", manager.recv(1000))
    assert told is not None
    successor = int(told[1])
    try:
        assert server.ended() == 0
        assert server.clients.send(name, b"handed on").finish().code == 0
        assert receiver.finish().out == b"handed on"
    finally:
        os.kill(successor, signal.SIGTERM)


# beyond the protocol: upgrades under load


class Load:
    """Clients that never stop, and what went wrong for them."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self.failures: list[str] = []
        self.transfers = 0

    def start(self, work: Callable[[random.Random], None], seed: int) -> None:
        """Do a piece of work again and again, until it fails or `finish`."""
        thread = threading.Thread(target=self._repeat, args=(work, random.Random(seed)))
        self._threads.append(thread)
        thread.start()

    def finish(self) -> None:
        """Let everybody come to the end of what they do."""
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _repeat(self, work: Callable[[random.Random], None], chance: random.Random) -> None:
        try:
            while not self._stop.is_set():
                work(chance)
        except Exception as error:  # whatever it is: it must not happen
            self.failures.append(repr(error))

    def short(self, chance: random.Random) -> None:
        """One transfer between two new connections."""
        with Raw(self._clients.address) as receiver, Raw(self._clients.address) as sender:
            self._one(chance, sender, receiver)

    def kept(self) -> Callable[[random.Random], None]:
        """One transfer after another on the same two connections."""
        sender, receiver = self._clients.raw(), self._clients.raw()
        return lambda chance: self._one(chance, sender, receiver)

    def _one(self, chance: random.Random, sender: Raw, receiver: Raw) -> None:
        name, body = f"/{secrets.token_hex(8)}", chance.randbytes(chance.choice((0, 10, 5000, 60_000)))
        sends, receives = request("PUT", name, body=body), request("GET", name)
        if chance.random() < 0.5:
            sends = request("PUT", name, "Transfer-Encoding: chunked") + chunked(*([body] if body else []))
        if chance.random() < 0.5:
            receiver.send(receives)
            sender.send(sends)
        else:
            sender.send(sends)
            receiver.send(receives)
        got, told = receiver.answer(), sender.answer()
        assert (got.complete, got.body == body) == (True, True), got.head
        assert (told.complete, told.lines[-1]) == (True, lines.COMPLETE), told.lines
        self.transfers += 1


class Long:
    """One transfer between real curls that goes on for as long as the test likes."""

    def __init__(self, clients: Clients, count: int) -> None:
        name = secrets.token_hex(8)
        self._receivers = [clients.receive(name, query=f"n={count}").asked() for _ in range(count)]
        self._sender = clients.send_on(name, b"", query=f"n={count}")
        self._sent = hashlib.sha256()
        self._count = count

    def more(self) -> None:
        """Send a little."""
        piece = os.urandom(300_000)
        self._sent.update(piece)
        self._sender.write(piece)

    def finish(self) -> None:
        """Every byte arrived."""
        self._sender.end_input()
        for receiver in self._receivers:
            done = receiver.finish()
            assert (done.code, hashlib.sha256(done.out).digest()) == (0, self._sent.digest())
        told = self._sender.finish()
        assert (told.code, told.lines[-1]) == (0, lines.COMPLETE)


class Waiting:
    """Parties that wait through an upgrade, or through several."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._receiving, self._sending = secrets.token_hex(8), secrets.token_hex(8)
        self._body = os.urandom(700_000)
        self._receiver = clients.receive(self._receiving).asked()
        self._sender = clients.send(self._sending, self._body)
        self._sender.out.until(lines.waiting())

    def finish(self) -> None:
        """Those whom they waited for come."""
        sender, receiver = self._clients.send(self._receiving, self._body), self._clients.receive(self._sending)
        for party, there in ((sender, 1), (self._sender, 0)):
            told = party.finish()
            assert (told.code, told.lines) == (0, lines.whole(there=there))
        for party in (receiver, self._receiver):
            done = party.finish()
            assert (done.code, done.out == self._body) == (0, True)


@pytest.mark.timeout(120)
def test_ten_upgrades_under_load_lose_no_transfer_and_refuse_no_connection(server: Server, upgrade: Upgrade) -> None:
    """Short transfers all the time, real curls that stream or wait across the upgrades; every byte compared."""
    servers = [server]
    clients = server.clients
    load = Load(clients)
    for seed in range(3):
        load.start(load.short, seed)
    for seed in range(2):
        load.start(load.kept(), seed)
    longest, waiting = Long(clients, 2), [Waiting(clients)]
    others: list[Long] = []
    done = [0]
    for number in range(UPGRADES):
        others.append(Long(clients, 1))
        waiting.append(Waiting(clients))
        for long in [longest, *others]:
            long.more()
        servers.append(upgrade())
        for long in [longest, *others]:
            long.more()
        if number % 2:
            waiting.pop(number % len(waiting)).finish()
            others.pop(0).finish()
        assert load.failures == []
        assert load.transfers > done[-1]
        done.append(load.transfers)
    for party in waiting:
        party.finish()
    for long in [*others, longest]:
        long.finish()
    load.finish()
    assert load.failures == []
    print(f"{load.transfers} short transfers during {UPGRADES} upgrades")
    assert [old.ended() for old in servers[:-1]] == [0] * UPGRADES
