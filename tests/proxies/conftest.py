"""Real proxies in front of a server of our own, with the configurations that are shipped."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from blackbox.harness import Clients, Server
from proxies.routes import ROUTES, SHORT, program_of


@pytest.fixture(params=ROUTES)
def route(request: pytest.FixtureRequest) -> str:
    """The name of one proxy."""
    name: str = request.param
    program = program_of(name)
    if shutil.which(program) is None:
        pytest.skip(f"no {program} here")
    return name


@pytest.fixture
def server() -> Iterator[Server]:
    """The server behind the proxies."""
    server = Server("--heartbeat", "0.3").listening()
    yield server
    server.close()
    assert "Traceback" not in server.log, server.log


@pytest.fixture
def through(route: str, server: Server, tmp_path: Path) -> Iterator[Clients]:
    """Clients that go through the proxy as it is shipped."""
    proxy = ROUTES[route](tmp_path, server)
    yield proxy.clients
    proxy.close()


@pytest.fixture
def impatient(route: str, server: Server, tmp_path: Path) -> Iterator[Clients]:
    """Clients behind the same proxy with timeouts of a second or two."""
    proxy = SHORT[route](tmp_path, server)
    yield proxy.clients
    proxy.close()
