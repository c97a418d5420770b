"""What the black-box tests share. HOODY_URL points those that need no server of their own at any server."""

import os
from collections.abc import Callable, Iterator

import pytest

from blackbox.harness import Clients, Server

StartServer = Callable[..., Server]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The base URL of the server under test; one of our own must end cleanly and without a traceback."""
    given = os.environ.get("HOODY_URL")
    if given:
        yield given.rstrip("/")
        return
    server = Server().listening()
    yield server.url
    server.close()
    assert server.process.returncode == 0, server.log
    assert "Traceback" not in server.log, server.log


@pytest.fixture
def clients(url: str) -> Iterator[Clients]:
    """Clients of the server under test."""
    clients = Clients(url)
    yield clients
    clients.close()


@pytest.fixture
def private() -> Iterator[StartServer]:
    """Starts a server with its own flags, for this test alone."""
    if os.environ.get("HOODY_URL"):
        pytest.skip("HOODY_URL is given, this test needs a server of its own")
    servers: list[Server] = []

    def start(*flags: str, **options: object) -> Server:
        server = Server(*flags, **options)  # type: ignore[arg-type]
        servers.append(server)
        return server.listening()

    yield start
    for server in servers:
        server.close()
    for server in servers:
        assert "Traceback" not in server.log, server.log
