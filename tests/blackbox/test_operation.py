"""What an operator relies on: start, limits, logs, full tables, silence (protocol Z.3, Z.7, Z.8, Z.10)."""

import hashlib
import os
import resource
import socket
import subprocess
import sys

import pytest

from blackbox import lines
from blackbox.conftest import StartServer
from blackbox.harness import SOURCE, eventually
from blackbox.rawhttp import Ended, Raw, chunked, request

TIGHT = 64 * 1024


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


def test_every_flag_has_an_environment_variable(private: StartServer, name: str) -> None:
    clients = private(env={"HOODY_PIPE_MAX_RECEIVERS": "2"}).clients
    assert clients.raw(request("GET", f"/{name}?n=3")).answer().status == 400


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


def test_silence_is_allowed_unless_the_operator_limits_it(private: StartServer, name: str) -> None:
    clients = private("--idle-timeout", "0.4").clients
    receiver = clients.raw(request("GET", f"/{name}"))
    sender = clients.raw(request("PUT", f"/{name}", "Transfer-Encoding: chunked") + chunked(b"x", end=False))
    told = sender.answer()
    assert (told.complete, told.lines[-1]) == (False, lines.IDLE)
    assert not receiver.answer().complete


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

    def descriptors() -> int:
        return len(os.listdir(f"/proc/{server.process.pid}/fd"))

    at_start = descriptors()
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
    assert eventually(lambda: descriptors() <= at_start + 8)  # kernel pipes that are kept for reuse


def test_every_descriptor_comes_back(private: StartServer, name: str) -> None:
    server = private()
    clients = server.clients

    def descriptors() -> int:
        return len(os.listdir(f"/proc/{server.process.pid}/fd"))

    at_start = descriptors()
    for number in range(20):
        receiver = clients.raw(request("GET", f"/{name}"))
        sender = clients.raw(request("PUT", f"/{name}", "Content-Length: 300000") + b"x" * 200_000)
        receiver.until(b"x")
        (sender if number % 2 else receiver).reset()
        with pytest.raises(Ended):
            (receiver if number % 2 else sender).until(b"never")
        sender.close()
        receiver.close()
    assert eventually(lambda: descriptors() <= at_start + 4)  # a kernel pipe or two are kept for reuse
