"""Stopping: the drain and its limit; starting on sockets that somebody else keeps."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from blackbox import lines
from blackbox.conftest import StartServer
from blackbox.harness import SOURCE, Clients, Output, eventually
from blackbox.rawhttp import chunked, request

ACTIVATED = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.executable, [sys.executable, "-m", "hoody_pipe.cli", "serve", "--port", "1"])
"""


# Z.2: the drain


def test_after_the_drain_timeout_what_still_runs_is_broken_and_the_status_says_so(
    private: StartServer, name: str
) -> None:
    server = private("--drain-timeout", "0.5")
    clients = server.clients
    receiver = clients.receive(name)
    sender = clients.raw(request("PUT", f"/{name}", "Transfer-Encoding: chunked") + chunked(b"begun", end=False))
    receiver.out.until(b"begun")
    short = clients.raw(request("GET", f"/{name}-2"))
    quick = clients.raw(request("PUT", f"/{name}-2", "Content-Length: 5"))
    quick.until(lines.streaming().encode())
    server.signal(signal.SIGTERM)
    quick.send(b"quick")
    assert short.answer().body == b"quick"
    quick.until(lines.COMPLETE.encode())
    assert receiver.finish().code == 18
    told = sender.answer()
    assert (told.complete, told.lines[-1]) == (False, lines.SHUTTING_DOWN)
    assert server.ended() == 1


def test_a_drain_that_ends_in_time_is_a_success(private: StartServer, name: str) -> None:
    server = private("--drain-timeout", "20")
    clients = server.clients
    receiver = clients.raw(request("GET", f"/{name}"))
    sender = clients.raw(request("PUT", f"/{name}", "Content-Length: 5"))
    sender.until(lines.streaming().encode())
    server.signal(signal.SIGTERM)
    sender.send(b"whole")
    assert receiver.answer().body == b"whole"
    assert server.ended() == 0


# beyond the protocol: sockets that somebody else keeps


@pytest.fixture
def kept() -> Iterator[socket.socket]:
    """A listening socket that outlives the servers on it, as systemd keeps it."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock


def activated(sock: socket.socket) -> subprocess.Popen[bytes]:
    """A server that is given its listening socket as descriptor 3."""
    return subprocess.Popen(
        [sys.executable, "-c", ACTIVATED, str(sock.fileno())],
        pass_fds=[sock.fileno()],
        env={**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    )


def test_connections_wait_in_a_socket_that_somebody_else_keeps(kept: socket.socket, name: str) -> None:
    """LISTEN_FDS and LISTEN_PID, as sd_listen_fds(3) says; nobody is refused while no server is there."""
    clients = Clients(f"http://127.0.0.1:{kept.getsockname()[1]}")
    try:
        for number in range(2):
            receiver = clients.receive(f"{name}-{number}").asked()
            sender = clients.send(f"{name}-{number}", b"queued").asked()
            server = activated(kept)
            assert server.stdout is not None
            assert server.stderr is not None
            out, err = Output(server.stdout), Output(server.stderr)
            out.until(clients.url)
            assert (receiver.finish().out, sender.finish().code) == (b"queued", 0)
            server.terminate()
            assert server.wait(20) == 0, err.data
    finally:
        clients.close()


def test_a_descriptor_that_is_no_listening_socket_is_one_line_and_exit_code_2() -> None:
    left, right = socket.socketpair()
    with left, right:
        server = activated(left)
        _, err = server.communicate(timeout=20)
    assert (server.returncode, err.decode().splitlines()) == (
        2,
        ["hoody-pipe: descriptor 3 in LISTEN_FDS is not a listening TCP socket"],
    )


def test_descriptors_for_another_process_are_left_alone(private: StartServer) -> None:
    server = private(env={"LISTEN_PID": "1", "LISTEN_FDS": "1"})
    assert eventually(lambda: server.clients.raw(request("GET", "/robots.txt")).answer().status == 200)
