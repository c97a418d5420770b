"""When a peer counts as dead, and which peers may take nothing for how long."""

import socket

import pytest

from hoody_pipe.plane import life


@pytest.mark.parametrize(
    ("questions", "silent", "asked", "dead"),
    [
        (2, 96, 36, True),
        (9, 200, 150, True),
        (1, 200, 150, False),  # one lost packet
        (2, 95, 95, False),  # it said something a moment ago
        (2, 3600, 35, False),  # silent for an hour, since nobody asked
        (0, 3600, 0, False),
    ],
)
def test_a_peer_is_dead_when_it_was_silent_for_long_and_asked_more_than_once(
    questions: int, silent: float, asked: float, dead: bool
) -> None:
    assert life.is_dead(questions, silent, asked, 120) is dead


def test_a_stall_is_unlimited_until_it_ends_and_then_limited_as_before() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        life.probe(listening, 120)
        with socket.create_connection(listening.getsockname()), listening.accept()[0] as sock:
            stall = life.Stall(sock)
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 0
            stall.end()
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 108_000
            assert life.unanswered(sock)[0] == 0
        stall.end()
        assert life.unanswered(sock) == (0, 0.0)
