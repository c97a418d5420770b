"""Many connections: those that say nothing make room for others, and one address takes no more than its share."""

import resource
import time
from collections.abc import Iterator

import pytest

from blackbox import lines
from blackbox.conftest import StartServer
from blackbox.harness import Clients, Server, eventually
from blackbox.rawhttp import Ended, Raw, request

SILENT = 10_000
TOO_MANY = "[ERROR] Too many connections from your address (max 3). Try again later."


@pytest.fixture
def descriptors() -> Iterator[None]:
    """This process may have as many as it can."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] < 2 * SILENT:
        pytest.skip(f"only {before[1]} open files are allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


# beyond the protocol: descriptors


@pytest.mark.usefixtures("descriptors")
def test_10_000_who_say_nothing_cost_little_and_keep_nobody_waiting(private: StartServer, name: str) -> None:
    """And all of them are gone when they have been idle for long enough."""
    server = private("--keep-alive", "6")
    assert passes(server.clients, name)
    at_start, before = server.descriptors, server.rss
    crowd = [server.clients.raw() for _ in range(SILENT)]
    assert eventually(lambda: server.descriptors >= at_start + SILENT)
    each = (server.rss - before) / SILENT
    began = time.monotonic()
    assert passes(server.clients, name)
    print(
        f"\n{SILENT} silent connections: {each / 1000:.1f} KB each, others served in {time.monotonic() - began:.3f} s"
    )
    assert server.descriptors >= at_start + SILENT, "nobody had to leave for that"
    assert each < 2_000
    assert all(raw.ends_within(10) for raw in crowd)
    assert eventually(lambda: server.descriptors <= at_start + 2)


def passes(clients: Clients, name: str) -> bool:
    """Whether a transfer on `name` passes now."""
    receiver = clients.raw(request("GET", f"/{name}", "Connection: close"))
    sender = clients.raw(request("PUT", f"/{name}", "Connection: close", body=b"through"))
    return receiver.answer().body == b"through" and sender.answer().lines[-1] == lines.COMPLETE


def test_when_files_run_out_who_says_nothing_makes_room_and_who_is_served_does_not(
    private: StartServer, name: str
) -> None:
    """The oldest first: it has had the most time to say something."""
    server = private(open_files=(64, 64))
    clients = server.clients
    waiting = clients.raw(request("GET", f"/{name}-waiting"))
    watching = clients.raw(request("GET", f"/{name}?progress"))
    receiver = clients.raw(request("GET", f"/{name}"))
    sender = clients.raw(request("PUT", f"/{name}", "Content-Length: 10") + b"first")
    receiver.until(b"first")
    kept = clients.raw(request("GET", "/robots.txt"))
    assert kept.answer().status == 200
    crowd = [clients.raw(b"" if number % 2 else b"GET /half HTTP/1.1\r\nHo") for number in range(150)]
    assert crowd[0].ends_within(5)
    assert kept.ends_within(5)
    assert passes(clients, f"{name}-late")
    assert passes(clients, f"{name}-later")
    sender.send(b"other")
    assert receiver.exactly(5) == b"other"
    assert sender.answer().lines[-1] == lines.COMPLETE
    watching.until(b"event: done")
    clients.raw(request("PUT", f"/{name}-waiting", body=b"at last"))
    assert waiting.answer().body == b"at last"
    assert crowd[-1].is_silent()


def test_who_reads_no_answers_makes_room_too(private: StartServer, name: str) -> None:
    """It has asked for more, but until it reads it will get none."""
    server = private(open_files=(48, 48))
    page = request("GET", "/api/v1/pipe/openapi.json")
    for _ in range(60):
        server.clients.raw(receive_buffer=1).offer(page * 1_000)
    assert passes(server.clients, name)


def test_a_request_that_has_just_come_is_served_instead_of_making_room(private: StartServer) -> None:
    """Every connection of a crowd larger than the limit asks as soon as it can, and is answered without a pause."""
    server = private(open_files=(48, 48))
    began = time.monotonic()
    crowd = [server.clients.raw(request("GET", "/robots.txt")) for _ in range(300)]
    assert {raw.answer().status for raw in crowd} == {200}
    assert time.monotonic() - began < 3


def test_health_is_told_without_a_descriptor_to_spare(private: StartServer, name: str) -> None:
    """What cannot be read is null."""
    server = private(open_files=(48, 48))
    asking = server.clients.raw(request("GET", f"/{name}?wait=1") + request("GET", "/api/v1/pipe/health"))
    for number in range(60):
        server.clients.raw(request("GET", f"/{name}-{number}"))
    assert asking.answer().status == 408
    answer = asking.answer()
    assert answer.status == 200
    assert b'"memory": null, "fds": null' in answer.body


def limited(private: StartServer, *flags: str, host: str = "127.0.0.1") -> Server:
    """A server that takes three connections of one address."""
    return private("--max-connections-per-ip", "3", *flags, host=host)


def page(server: Server, target: str) -> bytes:
    """What it answers to one more connection."""
    with server.clients.raw(request("GET", target, "Connection: close")) as raw:
        return raw.answer().body


def is_refused(raw: Raw) -> bool:
    """Whether it is told that there are too many."""
    answer = raw.answer()
    return (answer.status, answer.lines, answer.fields["connection"]) == (429, [TOO_MANY], "close")


# Z.10: connections of one address


def test_one_address_has_so_many_connections_and_the_next_one_is_told(private: StartServer, name: str) -> None:
    """Whoever is connected feels nothing, and each that goes makes room for another."""
    server = limited(private)
    receiver = server.clients.raw(request("GET", f"/{name}"))
    sender = server.clients.raw(request("PUT", f"/{name}", "Content-Length: 4") + b"ab")
    receiver.until(b"\r\n\r\nab")
    silent = server.clients.raw()
    assert is_refused(server.clients.raw())
    curl = server.clients.receive(name, "-i").finish()
    assert curl.out.startswith(b"HTTP/1.1 429 ")
    assert curl.out.endswith(TOO_MANY.encode() + b"\n")
    silent.close()
    assert eventually(lambda: b'rejections_total{reason="connection_cap"} 2.0' in page(server, "/api/v1/pipe/metrics"))
    sender.send(b"cd")
    assert receiver.exactly(2) == b"cd"
    assert sender.answer().lines[-1] == lines.COMPLETE


def test_a_flood_from_one_address_costs_next_to_nothing(private: StartServer) -> None:
    """As many again as are served are told; the others are closed at once."""
    server = limited(private, "--linger", "60")
    for _ in range(3):
        assert server.clients.raw(request("GET", "/robots.txt")).answer().status == 200
    told = [server.clients.raw() for _ in range(3)]
    assert all(is_refused(raw) for raw in told)
    at_start, before, spent = server.descriptors, server.rss, server.cpu
    for _ in range(2_000):
        with Raw(server.clients.address) as raw, pytest.raises(Ended):
            raw.exactly(1)
    assert server.descriptors == at_start
    assert server.rss < before + 1_000_000
    assert server.cpu - spent < 1


def test_an_address_of_ipv4_is_the_same_on_a_socket_of_ipv6(private: StartServer) -> None:
    """Another address has its own count."""
    server = limited(private, host="::")
    port = server.clients.address[1]
    held = [Raw(("127.0.0.1", port)).send(request("GET", "/robots.txt")) for _ in range(3)]
    assert [raw.answer().status for raw in held] == [200] * 3
    with Raw(("127.0.0.1", port)) as raw:
        assert is_refused(raw)
    with Raw(("::1", port)) as raw:
        assert raw.send(request("GET", "/robots.txt")).answer().status == 200
    with Raw(("127.0.0.2", port)) as raw:
        assert is_refused(raw)
    for raw in held:
        raw.close()


def test_who_came_from_an_old_server_is_counted_by_the_new_one(
    private: StartServer, name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Those that waited, those that said nothing, and those whose transfer ended at the old one."""
    flags = ("--handover", str(tmp_path_factory.mktemp("run") / "handover"))
    old = limited(private, *flags)
    waiting, silent = old.clients.raw(request("GET", f"/{name}")), old.clients.raw()
    assert eventually(lambda: b'"waiting"' in page(old, f"/{name}?status"))
    limited(private, *flags)
    third = old.clients.raw(request("GET", "/robots.txt"))
    assert third.answer().status == 200
    assert is_refused(old.clients.raw())
    silent.close()
    assert eventually(lambda: passes_on(old, name))
    assert waiting.answer().body == b"across"


def passes_on(server: Server, name: str) -> bool:
    """Whether a sender was let in."""
    with server.clients.raw(request("PUT", f"/{name}", "Connection: close", body=b"across")) as raw:
        return raw.answer().status == 200
