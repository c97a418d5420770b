"""Listening sockets: every address of a host, one port, errors in one line."""

import socket

import pytest

from hoody_pipe.errors import ConfigError
from hoody_pipe.shell.listener import bind


def test_port_0_is_the_same_free_port_on_every_address() -> None:
    sockets = bind("localhost", 0, 120)
    try:
        assert len({sock.getsockname()[1] for sock in sockets}) == 1
    finally:
        for sock in sockets:
            sock.close()


def test_dead_peers_are_probed_on_every_accepted_socket() -> None:
    """The options of protocol Z.3 are inherited from the listening socket."""
    (listening,) = bind("127.0.0.1", 0, 120)
    with listening, socket.create_connection(listening.getsockname()):
        listening.setblocking(True)
        accepted, _ = listening.accept()
        with accepted:
            tcp = [socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT]
            assert [accepted.getsockopt(socket.IPPROTO_TCP, option) for option in tcp] == [60, 12, 4, 108_000]
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize(("host", "port"), [("256.1.1.1", 0), ("192.0.2.1", 0), ("127.0.0.1", 70_000)])
def test_an_address_that_cannot_be_had_is_one_line(host: str, port: int) -> None:
    with pytest.raises(ConfigError, match=f"cannot listen on {host} port {port}: [^\n]+$"):
        bind(host, port, 120)
