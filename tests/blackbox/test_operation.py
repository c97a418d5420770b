"""What an operator relies on: start, limits, logs, full tables, silence (protocol Z.3, Z.7, Z.8, Z.10)."""

import hashlib
import os
import re
import resource
import socket
import subprocess
import sys

import pytest

from blackbox import lines
from blackbox.conftest import StartServer
from blackbox.harness import SOURCE, eventually
from blackbox.rawhttp import Ended, Raw, chunked, request
from blackbox.sse import status

TIGHT = 64 * 1024


# beyond the protocol: how it starts


def serve(*flags: str) -> subprocess.CompletedProcess[str]:
    """A server that is expected not to start."""
    command = [sys.executable, "-m", "hoody_pipe.cli", "serve", *flags]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=20, env={**os.environ, "PYTHONPATH": str(SOURCE)}
    )


@pytest.mark.parametrize(
    "flags",
    [
        ("--port", "99999"),
        ("--port", "x"),
        ("--no-such-flag",),
        ("--host", "256.1.1.1", "--port", "0"),
        ("--host", "192.0.2.1", "--port", "0"),
        ("--wait", "0"),
    ],
)
def test_a_bad_setting_is_one_line_and_exit_code_2(flags: tuple[str, ...]) -> None:
    done = serve(*flags)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("hoody-pipe: ")


def test_a_port_in_use_is_one_line_and_exit_code_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = serve("--port", str(taken.getsockname()[1]))
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "Address already in use" in done.stderr


def test_it_serves_ipv6(private: StartServer, name: str) -> None:
    server = private(host="::1")
    assert server.url.startswith("http://[::1]:")
    sender = server.clients.send(name, b"six", "-g")
    assert server.clients.receive(name, "-g").finish().out == b"six"
    assert sender.finish().code == 0


# H, Z.4, Z.10, Z.11: limits

DEFAULTS = {
    "max-waiting": "10000",
    "max-active": "10000",
    "max-receivers": "256",
    "max-name": "1024",
    "wait": "300",
    "max-wait": "3600",
    "idle-timeout": "0.0",
    "multipart-wait": "30.0",
    "multipart-text": "1048576",
    "max-extra-header": "8192",
    "max-filename": "255",
    "cors-max-age": "86400",
    "max-spectators": "1000",
    "max-spectator-groups": "10000",
    "spectator-time": "1800.0",
    "progress-interval": "0.25",
    "event-keep-alive": "15.0",
    "recent": "1000",
    "recent-time": "30.0",
    "receipts": "1000",
    "receipt-time": "600.0",
    "outcomes": "10000",
    "outcome-time": "86400.0",
    "heartbeat": "15.0",
}


def test_every_limit_is_a_flag_with_the_default_of_the_protocol() -> None:
    options = re.split(r"\s--(?=[a-z])", " ".join(serve("--help").stdout.split()))
    shown = {option.split()[0]: found[1] for option in options if (found := re.search(r"\[default: ([^;\]]+)", option))}
    assert {flag: shown.get(flag) for flag in DEFAULTS} == DEFAULTS


def test_every_flag_has_an_environment_variable(private: StartServer, name: str) -> None:
    settings = {"MAX_RECEIVERS": "2", "MAX_WAIT": "5", "MAX_EXTRA_HEADER": "3"}
    clients = private(env={f"HOODY_PIPE_{key}": value for key, value in settings.items()}).clients
    assert clients.raw(request("GET", f"/{name}?n=3")).answer().status == 400
    assert clients.raw(request("GET", f"/{name}?wait=6")).answer().status == 400
    receiver = clients.raw(request("GET", f"/{name}"))
    clients.raw(request("PUT", f"/{name}", "X-Piping: four", body=b""))
    assert "x-piping" not in receiver.answer().fields


COUNT = 'Invalid receiver count — "n" must be a positive integer.'
WAIT = 'Invalid wait — "wait" must be an integer number of seconds (1-5).'
EDGES = [
    ("--max-name=18", "/{name}", "/{name}x", 414, "Path too long (max 18 characters)."),
    ("--max-receivers=2", "/{name}?n=2", "/{name}?n=3", 400, COUNT),
    ("--max-wait=5", "/{name}?wait=5", "/{name}?wait=6", 400, "Wait out of range (1-5 seconds, got 6)."),
    ("--max-wait=5", "/{name}?wait=5", "/{name}?wait=x", 400, WAIT),
    ("--max-waiting=1", "/{name}", "/{name}x", 429, "Too many pending transfers. Try again later."),
]


@pytest.mark.parametrize(("flag", "last", "first", "code", "line"), EDGES)
def test_a_limit_takes_its_last_value_refuses_the_next_one_and_leaves_who_is_there_alone(
    private: StartServer, name: str, flag: str, last: str, first: str, code: int, line: str
) -> None:
    clients = private(flag).clients
    taken = clients.raw(request("GET", last.format(name=name)))
    assert eventually(lambda: status(clients, name)["state"] == "waiting")
    for method in ("GET", "PUT"):
        answer = clients.raw(request(method, first.format(name=name))).answer()
        assert (answer.status, answer.lines) == (code, [f"[ERROR] {line}"])
    assert taken.is_silent()
    assert status(clients, name)["state"] == "waiting"


def test_whoever_says_nothing_of_waiting_waits_as_long_as_the_operator_says(private: StartServer, name: str) -> None:
    clients = private("--wait", "1").clients
    assert clients.raw(request("GET", f"/{name}")).answer().status == 408
    assert clients.raw(request("PUT", f"/{name}", body=b"")).answer().lines[-1] == lines.NO_RECEIVERS


def test_what_is_passed_on_has_limits(private: StartServer, name: str) -> None:
    flags = ("--max-extra-header", "3", "--max-filename", "3", "--cors-max-age", "7", "--multipart-text", "4")
    clients = private(*flags).clients
    receivers = [clients.raw(request("GET", f"/{name}?n=2{query}")) for query in ("", "&filename=efgh")]
    sent = ("X-Piping: abc", "X-Hoody-Pipe: abcd", "Content-Disposition: attachment; filename=abcd")
    clients.raw(request("PUT", f"/{name}?n=2", *sent, body=b""))
    plain, named = (receiver.answer().fields for receiver in receivers)
    assert (plain["x-piping"], "x-hoody-pipe" in plain) == ("abc", False)
    assert plain["content-disposition"] == 'attachment; filename="abc"'
    assert named["content-disposition"] == 'attachment; filename="efg"'
    assert clients.raw(request("OPTIONS", f"/{name}")).answer().fields["access-control-max-age"] == "7"
    for text, code in (("four", 200), ("fives", 500)):
        receiver = clients.raw(request("GET", f"/{name}"))
        form = f'--x\r\nContent-Disposition: form-data; name="input_text"\r\n\r\n{text}\r\n--x--\r\n'
        sent_as = "Content-Type: multipart/form-data; boundary=x"
        sender = clients.raw(request("POST", f"/{name}", sent_as, body=form.encode()))
        assert receiver.answer().status == code
        assert sender.answer().complete is (code == 200)


# B.3, B.4, C.4, Z.10: the cap on transfers


def test_the_cap_on_running_transfers_leaves_running_ones_alone(private: StartServer, name: str) -> None:
    clients = private("--max-active", "1").clients
    receiver = clients.raw(request("GET", f"/{name}"))
    sender = clients.raw(request("PUT", f"/{name}", "Transfer-Encoding: chunked"))
    sender.until(lines.streaming().encode())
    late = clients.raw(request("GET", f"/{name}-2"))
    told = clients.raw(request("PUT", f"/{name}-2", body=b"x")).answer()
    assert (told.complete, told.lines[-1]) == (False, "[ERROR] Server at maximum active transfer capacity.")
    answer = late.answer()
    assert answer.status == 429
    assert answer.lines == ["[ERROR] Server at maximum active transfer capacity. Try again later."]
    sender.send(chunked(b"fine"))
    assert receiver.answer().body == b"fine"


# Z.8: names are secrets


def test_names_are_not_logged_but_their_hash_is(private: StartServer, name: str) -> None:
    digest = hashlib.sha256(f"/{name}".encode()).hexdigest()[:8]
    for flags, shown, hidden in (((), digest, name), (("--log-names",), name, digest)):
        server = private("--access-log", "all", *flags)
        clients = server.clients
        receiver = clients.raw(request("GET", f"/{name}"))
        sender = clients.raw(request("PUT", f"/{name}", "Content-Length: 100"))
        sender.until(lines.streaming().encode())
        sender.reset()
        with pytest.raises(Ended):
            receiver.until(b"never")
        assert eventually(lambda log=server, text=shown: text in log.log)  # type: ignore[misc]
        assert hidden not in server.log


def test_what_would_steer_a_terminal_is_logged_as_an_escape(private: StartServer, name: str) -> None:
    server = private("--log-names", "--access-log", "all")
    with server.clients.raw(request("GET", f"/{name}-\x9b2J\u202e?wait=1")) as raw:
        assert raw.answer().status == 408
    assert eventually(lambda: f'name="/{name}-\\u009b2J\\u202e"' in server.log)
    assert "\x9b" not in server.log


# Z.10: descriptors


def test_when_files_run_out_accepting_pauses_and_transfers_go_on(private: StartServer, name: str) -> None:
    server = private(open_files=(48, 48))
    clients = server.clients
    receiver = clients.raw(request("GET", f"/{name}"))
    sender = clients.raw(request("PUT", f"/{name}", "Content-Length: 200000"))
    sender.until(lines.streaming().encode())
    crowd = [clients.raw(request("GET", f"/{name}-{number}")) for number in range(80)]
    sender.send(b"x" * 200_000)
    assert receiver.answer().body == b"x" * 200_000
    sender.until(lines.COMPLETE.encode())
    spent = server.cpu
    assert not eventually(lambda: server.cpu > spent + 0.3, 0.8), "it spins"
    for raw in crowd:
        raw.close()
    late = clients.raw(request("GET", f"/{name}-late"))
    clients.raw(request("PUT", f"/{name}-late", body=b"recovered"))
    assert late.answer().body == b"recovered"


def test_it_takes_all_the_descriptors_that_it_may_have(private: StartServer) -> None:
    server = private(open_files=(64, 96))
    assert resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE) == (96, 96)


# Z.3, B.3: the operator's limit on silence


def test_silence_is_allowed_unless_the_operator_limits_it(private: StartServer, name: str) -> None:
    clients = private("--idle-timeout", "0.4").clients
    receiver = clients.raw(request("GET", f"/{name}"))
    sender = clients.raw(request("PUT", f"/{name}", "Transfer-Encoding: chunked") + chunked(b"x", end=False))
    told = sender.answer()
    assert (told.complete, told.lines[-1]) == (False, lines.IDLE)
    assert not receiver.answer().complete


# Z.6: connections that say nothing


def test_a_head_that_does_not_end_in_time_is_refused_whatever_trickles_in(private: StartServer) -> None:
    raw = private("--head-timeout", "0.5").clients.raw(b"GET /x HT")
    assert not eventually(lambda: trickle(raw), 0.3)
    answer = raw.answer()
    assert answer.status == 408
    assert raw.ends_within(3)


def trickle(raw: Raw) -> bool:
    raw.offer(b"T")
    return False


def test_an_idle_connection_is_closed(private: StartServer) -> None:
    raw = private("--keep-alive", "0.3").clients.raw(request("GET", "/robots.txt"))
    assert raw.answer().status == 200
    assert raw.ends_within(3)


# Z.7: what a stuck stream holds


def test_a_receiver_that_does_not_read_costs_no_memory(private: StartServer, name: str) -> None:
    """60 streams that are stuck in the middle, chunked and counted: what they hold is in the kernel."""
    server = private()
    clients = server.clients
    before = server.rss
    senders = []
    for number in range(60):
        clients.raw(request("GET", f"/{name}-{number}"), receive_buffer=4096)
        framing = "Content-Length: 100000000" if number % 2 else "Transfer-Encoding: chunked"
        body = b"x" * 3_000_000 if number % 2 else chunked(b"x" * 3_000_000, end=False)
        senders.append(clients.raw(request("PUT", f"/{name}-{number}", framing)))
        senders[-1].until(lines.streaming().encode())
        senders[-1].offer(body)
    assert server.rss - before < 60 * TIGHT + 4 * 1024 * 1024
    lines_before = server.log
    for sender in senders:
        sender.reset()
    assert "Traceback" not in lines_before


def test_a_receiver_that_dies_with_the_tail_in_a_kernel_pipe_leaves_no_descriptor(
    private: StartServer, name: str
) -> None:
    """The sender's body is read to its end, its receiver has taken next to nothing."""
    server = private()
    clients = server.clients

    at_start = server.descriptors
    for number in range(20):
        count = 1 + number % 2
        receivers = [clients.raw(request("GET", f"/{name}?n={count}"), receive_buffer=4096) for _ in range(count)]
        size = 2_700_000 + 10_000 * number  # about what the kernel's buffers take, so that some end in the pipe
        sender = clients.raw(request("PUT", f"/{name}?n={count}", f"Content-Length: {size}"))
        sender.until(lines.streaming(count).encode())
        sender.offer(b"x" * size)
        for receiver in receivers:
            receiver.reset()
        with pytest.raises(Ended):
            sender.until(b"never")
        sender.close()
    assert eventually(lambda: server.descriptors <= at_start + 8)  # kernel pipes that are kept for reuse


def test_every_descriptor_comes_back(private: StartServer, name: str) -> None:
    server = private()
    clients = server.clients

    at_start = server.descriptors
    for number in range(20):
        receiver = clients.raw(request("GET", f"/{name}"))
        sender = clients.raw(request("PUT", f"/{name}", "Content-Length: 300000") + b"x" * 200_000)
        receiver.until(b"x")
        (sender if number % 2 else receiver).reset()
        with pytest.raises(Ended):
            (receiver if number % 2 else sender).until(b"never")
        sender.close()
        receiver.close()
    assert eventually(lambda: server.descriptors <= at_start + 4)  # a kernel pipe or two are kept for reuse
