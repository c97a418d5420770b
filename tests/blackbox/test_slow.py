"""Who sends slowly, reads slowly or not at all costs nothing and harms nobody (protocol Z.6, Z.7)."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest

from blackbox import lines
from blackbox.conftest import StartServer
from blackbox.harness import Clients, Server, eventually
from blackbox.rawhttp import Raw, chunked, request
from blackbox.sse import status

PAGE = request("GET", "/api/v1/pipe/openapi.json")
TIGHT = 16 * 1024


def answers_at_once(clients: Clients) -> bool:
    """Whether somebody else is served now."""
    began = time.monotonic()
    with clients.raw(request("GET", "/robots.txt")) as raw:
        assert raw.answer().status == 200
    return time.monotonic() - began < 1


# Z.6, Z.7: slow clients


def test_many_half_open_heads_end_in_time_and_others_are_served(private: StartServer) -> None:
    """The deadline runs from the first byte; one more now and then does not move it."""
    server = private("--head-timeout", "1")
    at_start = server.descriptors
    began = time.monotonic()
    crowd = [server.clients.raw(b"GET /x HTTP/1.1\r\nHost: x\r\nX: ") for _ in range(300)]
    assert answers_at_once(server.clients)
    while time.monotonic() < began + 0.8:
        for raw in crowd:
            raw.offer(b"x")
    for raw in crowd:
        answer = raw.answer()
        assert (answer.status, answer.lines) == (408, ["[ERROR] The request head was not complete in time."])
    assert time.monotonic() - began < 4
    for raw in crowd:
        assert raw.ends_within(3)
        raw.close()
    assert eventually(lambda: server.descriptors <= at_start)


@pytest.mark.parametrize("framing", ["Content-Length: 600", "Transfer-Encoding: chunked"])
def test_a_body_may_come_byte_by_byte_and_be_read_byte_by_byte(clients: Clients, name: str, framing: str) -> None:
    """Each byte a packet and a chunk of its own; others are served meanwhile."""
    body = bytes(range(200)) * 3
    receiver = clients.raw(request("GET", f"/{name}"), receive_buffer=1)
    receiver.at_once = 1
    sender = clients.raw(request("PUT", f"/{name}", framing))
    sender.until(b"Streaming")
    for byte in body if "Length" in framing else chunked(*(bytes([byte]) for byte in body)):
        sender.send(bytes([byte]))
    receiver.until(b"\r\n\r\n" + (body[:1] if "Length" in framing else b"1\r\n" + body[:1]))
    assert answers_at_once(clients)
    rest = receiver.exactly(599) if "Length" in framing else receiver.until(b"\r\n0\r\n\r\n")
    assert rest == (body[1:] if "Length" in framing else chunked(*(bytes([byte]) for byte in body))[4:])
    sender.until(lines.COMPLETE.encode())


def test_who_reads_no_answers_gets_no_more_until_it_does_and_then_all_of_them(private: StartServer) -> None:
    """2,000 requests at once for a page of 24 KiB: one answer is kept for it, the others are not even made."""
    server = private()
    assert answers_at_once(server.clients)
    before = server.rss
    raw = server.clients.raw(PAGE * 2_000, receive_buffer=TIGHT)
    assert eventually(lambda: is_idle(server))
    assert answers_at_once(server.clients)
    assert server.rss < before + 3_000_000
    assert {raw.answer().status for _ in range(2_000)} == {200}
    assert raw.is_silent()


def is_idle(server: Server) -> bool:
    """Whether it does nothing for a while."""
    spent = server.cpu
    time.sleep(0.2)
    return server.cpu == spent


def test_who_does_not_read_its_refusal_is_dropped_after_the_linger(private: StartServer) -> None:
    """Whatever it sends meanwhile."""
    server = private("--linger", "0.5")
    at_start = server.descriptors
    crowd = [server.clients.raw(receive_buffer=1).offer(b"x" * 40_000) for _ in range(100)]
    for raw in crowd:
        raw.socket.settimeout(0)
        raw.offer(b"x" * 1_000_000)
    assert answers_at_once(server.clients)
    assert eventually(lambda: server.descriptors <= at_start, 5)


@pytest.mark.parametrize("framing", ["Content-Length: 6", "Transfer-Encoding: chunked"])
def test_requests_that_came_with_a_body_are_answered_one_after_the_other(
    clients: Clients, name: str, framing: str
) -> None:
    """Those that were read with the body, and those behind them that are in the kernel."""
    body = chunked(b"hello!") if "chunked" in framing else b"hello!"
    sender = clients.raw(request("PUT", f"/{name}", framing) + body + request("GET", "/robots.txt") * 1_400)
    assert clients.raw(request("GET", f"/{name}")).answer().body == b"hello!"
    assert sender.answer().lines[-1] == lines.COMPLETE
    assert {sender.answer().status for _ in range(1_400)} == {200}


def test_receivers_that_come_and_go_do_not_fill_the_answer_of_a_quiet_sender(clients: Clients, name: str) -> None:
    """A line for each of them was kept until its wait was over, an hour perhaps."""
    sender = clients.raw(request("PUT", f"/{name}?quiet&n=2", body=b"body"))
    assert eventually(lambda: status(clients, name)["hasSender"] is True)
    for _ in range(1_200):
        with Raw(clients.address) as raw:
            raw.send(request("GET", f"/{name}?n=2"))
    assert eventually(lambda: status(clients, name)["activeReceivers"] == 0)
    for _ in range(2):
        clients.raw(request("GET", f"/{name}?n=2"))
    told = sender.answer().lines
    assert len(told) < 1_010
    assert told[-3:] == [lines.streaming(2), lines.UPLOAD_COMPLETE, lines.COMPLETE]


@contextmanager
def flood(sender: Raw, receiver: Raw, unit: bytes) -> Iterator[None]:
    """Send a unit again and again, and read what comes of it."""
    over = Event()

    def send() -> None:
        while not over.is_set():
            sender.offer(unit)

    def receive() -> None:
        buffer = bytearray(1 << 20)
        while not over.is_set() and receiver.socket.recv_into(buffer):
            pass

    threads = [Thread(target=send), Thread(target=receive)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for end in (sender, receiver):
            end.socket.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


FORM = "Content-Type: multipart/form-data; boundary=xyz"
EMPTY_PARTS = (b"--xyz\r\n" + b"a:\r\n" * 8 + b"\r\n\r\n") * 1_000


@pytest.mark.parametrize(
    ("fields", "unit"),
    [
        ((), b"1\r\na\r\n01\r\na\r\n" * 4_000),
        ((), b"1;\r\na\r\n" * 6_000),
        ((FORM,), b"%x\r\n%b\r\n" % (len(EMPTY_PARTS), EMPTY_PARTS)),
    ],
    ids=["chunks of one byte", "extensions", "parts of a form"],
)
def test_a_body_that_is_hard_to_read_does_not_keep_others_waiting(
    private: StartServer, name: str, fields: tuple[str, ...], unit: bytes
) -> None:
    """Every few bytes of it are work: one such stream once held up everybody for as long as it lasted."""
    clients = private().clients
    receiver = clients.raw(request("GET", f"/{name}"))
    sender = clients.raw(request("PUT", f"/{name}", "Transfer-Encoding: chunked", *fields))
    sender.until(b"Streaming")
    with flood(sender, receiver, unit):
        for _ in range(10):
            assert answers_at_once(clients)
