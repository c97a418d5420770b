"""The truth rule, row by row (protocol Z.2): exit code 0 of a curl is proof that every byte arrived."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from blackbox import lines
from blackbox.conftest import StartServer
from blackbox.harness import Clients, Curl, eventually
from blackbox.rawhttp import PATIENCE, Ended, chunked, request

MEGABYTE = os.urandom(1 << 20)
BROKEN = {18, 55, 56}  # partial file, send error, receive error


# Z.2, C.5, B.3, B.7: who dies, and what every curl says


def upload(name: str, query: str = "") -> bytes:
    """The head of a chunked sender that reads while it sends; curl does not while its input is silent."""
    return request("PUT", f"/{name}?{query}", "Transfer-Encoding: chunked")


def start_sender(clients: Clients, kind: str, name: str, body: bytes, *options: str, query: str = "") -> Curl:
    start = {"chunked": clients.send, "counted": clients.send_file}[kind]
    return start(name, body, *options, query=query)


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 9_000_001])
@pytest.mark.parametrize("kind", ["chunked", "counted"])
@pytest.mark.parametrize("receiver_first", [True, False])
def test_all_bytes_arrive_and_both_exit_0(
    clients: Clients, name: str, size: int, kind: str, receiver_first: bool
) -> None:
    body = (MEGABYTE * 9)[:size]
    if receiver_first:
        receiver = clients.receive(name).asked()
        sender = start_sender(clients, kind, name, body)
    else:
        sender = start_sender(clients, kind, name, body)
        sender.out.until(lines.waiting())
        receiver = clients.receive(name)
    got, told = receiver.finish(), sender.finish()
    assert (got.code, got.out == body) == (0, True)
    assert (told.code, told.lines) == (0, lines.whole(there=int(receiver_first)))


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_put_and_post_are_the_same(clients: Clients, name: str, method: str) -> None:
    sender = clients.curl("-X", method, "--data-binary", "@" + clients.file(MEGABYTE), clients.pipe(name))
    receiver = clients.receive(name)
    assert receiver.finish().out == MEGABYTE
    assert sender.finish().code == 0


@pytest.mark.parametrize("kind", ["chunked", "counted"])
def test_three_receivers_get_the_same_bytes(clients: Clients, name: str, kind: str) -> None:
    receivers = [clients.receive(name, query="n=3").asked() for _ in range(3)]
    sender = start_sender(clients, kind, name, MEGABYTE * 5, query="n=3")
    assert [(result.code, result.out == MEGABYTE * 5) for result in (curl.finish() for curl in receivers)] == [
        (0, True)
    ] * 3
    told = sender.finish()
    assert (told.code, told.lines[-1]) == (0, lines.COMPLETE)


@pytest.mark.parametrize("options", [(), ("-0",)], ids=["HTTP/1.1", "HTTP/1.0"])
def test_a_sender_killed_mid_stream_breaks_its_receiver(clients: Clients, name: str, options: tuple[str, ...]) -> None:
    receiver = clients.receive(name, *options)
    sender = clients.send_on(name, MEGABYTE)
    receiver.out.until_size(len(MEGABYTE))
    sender.kill()
    assert receiver.finish().code in BROKEN


def test_a_sender_with_a_length_that_dies_short_of_it_breaks_its_receiver(clients: Clients, name: str) -> None:
    receiver = clients.receive(name)
    sender = clients.raw(request("PUT", f"/{name}", "Content-Length: 1000001") + b"x" * 1_000_000)
    receiver.out.until_size(1_000_000)
    sender.close()
    result = receiver.finish()
    assert (result.code, len(result.out)) == (18, 1_000_000)


def test_a_sender_that_resets_breaks_its_receiver(clients: Clients, name: str) -> None:
    receiver = clients.receive(name)
    sender = clients.raw(request("PUT", f"/{name}", "Transfer-Encoding: chunked") + b"5\r\nhello\r\n")
    receiver.out.until("hello")
    sender.reset()
    assert receiver.finish().code in BROKEN


def test_a_sender_that_waits_long_is_asked_whether_it_is_there_and_the_stream_stays_whole(
    clients: Clients, name: str
) -> None:
    """Nothing of the questions may show in what it reads."""
    sender = clients.send_file(name, MEGABYTE * 4)
    sender.out.until(lines.waiting())
    other = clients.send(name, b"refused", "-f").finish()
    assert other.code == 22
    receiver = clients.receive(name)
    assert receiver.finish().out == MEGABYTE * 4
    told = sender.finish()
    assert (told.code, told.lines) == (0, lines.whole())


@pytest.mark.parametrize("size", [10, 500_000, 30_000_000])
@pytest.mark.parametrize("next_comes", ["sender", "receiver"])
def test_a_sender_that_dies_while_it_waits_leaves_the_name_to_the_next_one(
    clients: Clients, name: str, size: int, next_comes: str
) -> None:
    """However much of its body waits unread, in front of the FIN."""
    first = clients.send_file(name, b"x" * size)
    first.out.until(lines.waiting())
    first.kill()
    if next_comes == "receiver":
        receiver = clients.receive(name)
        second = clients.send_file(name, b"second")
    else:
        second = clients.send_file(name, b"second")
        second.out.until(lines.waiting())
        receiver = clients.receive(name)
    assert receiver.finish().out == b"second"
    assert second.finish().code == 0


@pytest.mark.parametrize("kind", ["chunked", "counted"])
def test_a_receiver_killed_mid_stream_breaks_the_sender(clients: Clients, name: str, kind: str) -> None:
    receiver = clients.receive(name, "--limit-rate", "10M")
    sender = start_sender(clients, kind, name, MEGABYTE * 60)
    receiver.out.until_size(1000)
    receiver.kill()
    told = sender.finish()
    assert told.code in BROKEN
    assert told.lines[-1] == lines.ALL_LEFT


def test_a_receiver_that_dies_with_unread_bytes_is_not_called_complete(clients: Clients, name: str) -> None:
    """The body fits into the kernel's buffers: everything was sent, nothing was read."""
    receiver = clients.raw(request("GET", f"/{name}"), receive_buffer=4096)
    sender = clients.send_file(name, MEGABYTE[:300_000])
    sender.out.until(lines.UPLOAD_COMPLETE)
    receiver.reset()
    told = sender.finish()
    assert told.code in BROKEN
    assert told.lines[-1] == lines.ALL_LEFT


def test_a_receiver_that_dies_long_after_its_kernel_has_everything_is_not_called_complete(
    clients: Clients, name: str
) -> None:
    """Its buffer takes the whole body, its program reads none of it: an acknowledgement alone is no delivery."""
    receiver = clients.raw(request("GET", f"/{name}", "User-Agent: curl/7.88.1"), receive_buffer=4 << 20)
    sender = clients.send(name, MEGABYTE[:300_000])
    sender.out.until(lines.UPLOAD_COMPLETE)
    assert not eventually(lambda: lines.COMPLETE.encode() in sender.out.data, 2.5)
    receiver.reset()
    told = sender.finish()
    assert told.code in BROKEN
    assert told.lines[-1] == lines.ALL_LEFT


def test_a_client_that_keeps_its_connection_after_a_long_body_is_believed_after_the_grace(
    clients: Clients, name: str
) -> None:
    receiver = clients.raw()
    for _ in range(2):
        receiver.send(request("GET", f"/{name}"))
        sender = clients.raw(request("PUT", f"/{name}", body=MEGABYTE))
        assert receiver.answer().body == MEGABYTE
        assert sender.answer().lines[-1] == lines.COMPLETE


def test_one_curl_fetches_two_long_bodies_over_one_connection(clients: Clients, name: str) -> None:
    receiver = clients.curl(clients.pipe(name + "-1"), clients.pipe(name + "-2"))
    senders = [clients.send(f"{name}-{number}", MEGABYTE) for number in (1, 2)]
    got = receiver.finish()
    assert (got.code, got.out == MEGABYTE * 2) == (0, True)
    assert "Re-using existing connection" in got.err
    assert [sender.finish().code for sender in senders] == [0, 0]


@pytest.mark.parametrize("count", [2, 3])
def test_no_byte_of_a_stream_reaches_a_stranger_who_got_the_descriptor_of_a_receiver_that_left(
    clients: Clients, name: str, count: int
) -> None:
    body = MEGABYTE * 48  # more than all buffers on the way take: of the kernel's, one may grow to 32 MiB (tcp_rmem)
    receivers = [clients.raw(request("GET", f"/{name}?n={count}"), receive_buffer=8192) for _ in range(count)]
    sender = clients.raw(request("PUT", f"/{name}?n={count}", f"Content-Length: {len(body)}"))
    sender.until(lines.streaming(count).encode())
    feeder = threading.Thread(target=sender.offer, args=(body,), daemon=True)
    feeder.start()
    assert [receiver.until(b"\r\n\r\n") != b"" for receiver in receivers] == [True] * count
    assert eventually(sender.is_stuck), "every buffer on the way is full now"
    receivers[0].reset()
    sender.until(lines.RECEIVER_LEFT.encode())
    strangers = [clients.raw(request("GET", f"/{name}-{number}")) for number in range(4)]
    with ThreadPoolExecutor() as readers:  # at the same time: the slowest paces all
        got = list(readers.map(lambda receiver: receiver.exactly(len(body)), receivers[1:]))
    assert got == [body] * (count - 1)
    assert all(stranger.is_silent() for stranger in strangers)
    for receiver in receivers[1:]:
        receiver.reset()
    feeder.join(PATIENCE)


def test_one_of_three_receivers_dies_and_the_others_get_everything(clients: Clients, name: str) -> None:
    victim = clients.receive(name, query="n=3")
    others = [clients.receive(name, query="n=3") for _ in range(2)]
    sender = clients.raw(upload(name, "n=3") + chunked(MEGABYTE, end=False))
    victim.out.until_size(len(MEGABYTE))
    victim.kill()
    sender.until(lines.RECEIVER_LEFT.encode())
    sender.send(chunked(MEGABYTE))
    assert [(result.code, result.out == MEGABYTE * 2) for result in (curl.finish() for curl in others)] == [
        (0, True)
    ] * 2
    sender.until(lines.incomplete(1, 3).encode() + b"\n\r\n")
    with pytest.raises(Ended):
        sender.exactly(1)


def test_with_require_any_one_complete_receiver_is_enough(clients: Clients, name: str) -> None:
    victim = clients.receive(name, query="n=2")
    other = clients.receive(name, query="n=2")
    sender = clients.raw(upload(name, "n=2&require=any") + chunked(MEGABYTE, end=False))
    victim.out.until_size(len(MEGABYTE))
    victim.kill()
    sender.until(lines.RECEIVER_LEFT.encode())
    sender.send(chunked())
    assert other.finish().code == 0
    sender.until(lines.COMPLETE.encode() + b"\n\r\n0\r\n\r\n")


def test_a_sender_whose_wait_is_over_is_broken_and_the_receiver_waits_on(clients: Clients, name: str) -> None:
    receiver = clients.receive(name, query="n=2").asked()
    told = clients.send(name, b"x", query="n=2&wait=1").finish()
    assert told.code in BROKEN
    assert told.lines[-1] == lines.NO_RECEIVERS
    sender = clients.send(name, b"later", query="n=2")
    clients.receive(name, query="n=2")
    assert receiver.finish().out == b"later"
    assert sender.finish().code == 0


def test_a_receiver_whose_wait_is_over_gets_408_and_the_sender_waits_on(clients: Clients, name: str) -> None:
    sender = clients.send(name, b"later")
    sender.out.until(lines.waiting())
    lonely = clients.receive(name + "-other", "-f", query="wait=1").finish()
    assert lonely.code == 22
    assert clients.receive(name + "-third", query="wait=1").finish().out.decode() == lines.NO_SENDER + "\n"
    assert clients.receive(name).finish().out == b"later"
    assert sender.finish().code == 0


def test_an_http_1_0_sender_gets_one_answer_at_the_end(clients: Clients, name: str) -> None:
    sender = clients.send_file(name, MEGABYTE, "-0")
    receiver = clients.receive(name)
    assert receiver.finish().out == MEGABYTE
    told = sender.finish()
    assert told.code == 0
    assert told.lines[-1] == lines.COMPLETE


def test_an_http_1_0_sender_that_was_not_heard_fails(clients: Clients, name: str) -> None:
    told = clients.send_file(name, MEGABYTE, "-0", query="wait=1").finish()
    assert told.code in BROKEN
    assert told.lines[-1] == lines.NO_RECEIVERS


def test_an_http_1_0_receiver_gets_a_body_that_ends_with_the_connection(clients: Clients, name: str) -> None:
    receivers = [clients.receive(name, *options, query="n=2") for options in (("-0",), ())]
    sender = clients.send(name, MEGABYTE, query="n=2")
    assert [(result.code, result.out == MEGABYTE) for result in (curl.finish() for curl in receivers)] == [
        (0, True)
    ] * 2
    assert sender.finish().code == 0


def test_malformed_chunks_break_both_sides(clients: Clients, name: str) -> None:
    receiver = clients.receive(name)
    sender = clients.raw(request("PUT", f"/{name}", "Transfer-Encoding: chunked") + b"5\r\nhelloXX")
    assert receiver.finish().code in BROKEN
    answer = sender.answer()
    assert not answer.complete
    assert lines.SENDER_FAILED.encode() in answer.body


def test_a_killed_server_breaks_everybody(private: StartServer, name: str) -> None:
    server = private()
    receiver = server.clients.receive(name)
    sender = server.clients.raw(upload(name) + chunked(MEGABYTE, end=False))
    lonely = server.clients.send(name + "-2", b"x")
    receiver.out.until_size(len(MEGABYTE))
    lonely.out.until(lines.waiting())
    server.signal(signal.SIGKILL)
    assert {receiver.finish().code, lonely.finish().code} <= BROKEN
    with pytest.raises(Ended):
        sender.until(b"0\r\n\r\n")


@pytest.mark.parametrize("number", [(signal.SIGKILL,), (signal.SIGINT, signal.SIGTERM)], ids=["killed", "cut short"])
def test_a_server_that_ends_too_early_breaks_a_receiver_whose_body_ends_with_the_connection(
    private: StartServer, name: str, number: tuple[signal.Signals, ...]
) -> None:
    server = private()
    receiver = server.clients.receive(name, "-0")
    server.clients.send_on(name, MEGABYTE)
    receiver.out.until_size(len(MEGABYTE))
    for each in number:
        server.signal(each)
    assert receiver.finish().code in BROKEN


def test_a_stopping_server_lets_transfers_finish_and_turns_away_who_waits(private: StartServer, name: str) -> None:
    server = private()
    receiver = server.clients.receive(name)
    sender = server.clients.send_on(name, MEGABYTE)
    lonely_sender = server.clients.send(name + "-s", b"x")
    lonely_receiver = server.clients.receive(name + "-r", "-i").asked()
    receiver.out.until_size(len(MEGABYTE))
    lonely_sender.out.until(lines.waiting())
    server.signal(signal.SIGTERM)
    refused, broken = lonely_receiver.finish(), lonely_sender.finish()
    assert refused.out.startswith(b"HTTP/1.1 503 ")
    assert lines.SHUTTING_DOWN.encode() in refused.out
    assert broken.code in BROKEN
    assert broken.lines[-1] == lines.SHUTTING_DOWN
    assert server.process.poll() is None
    sender.write(MEGABYTE)
    sender.end_input()
    got, told = receiver.finish(), sender.finish()
    assert (got.code, got.out == MEGABYTE * 2) == (0, True)
    assert (told.code, told.lines[-1]) == (0, lines.COMPLETE)
    assert server.ended() == 0


def test_a_second_signal_stops_at_once(private: StartServer, name: str) -> None:
    server = private()
    receiver = server.clients.receive(name)
    server.clients.send_on(name, MEGABYTE)
    receiver.out.until_size(len(MEGABYTE))
    server.signal(signal.SIGINT)
    assert eventually(lambda: not accepts(server.clients))
    server.signal(signal.SIGTERM)
    assert server.ended() == 128 + signal.SIGTERM
    assert receiver.finish().code in BROKEN


def accepts(clients: Clients) -> bool:
    try:
        clients.raw().close()
    except ConnectionError:
        return False
    return True
