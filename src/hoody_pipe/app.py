"""The composition root: a Config becomes a running server."""

import asyncio
import contextlib
import gc
import os
import resource
import socket
from collections.abc import Callable

import uvloop

from hoody_pipe.config import Config
from hoody_pipe.shell.estate import Estate, inherit, listen
from hoody_pipe.shell.listener import bind
from hoody_pipe.shell.server import Server
from hoody_pipe.shell.systemd import activated, notify

GC_THRESHOLD = 20_000  # new objects between two looks for cycles; a transfer makes hardly any


def serve(config: Config, announce: Callable[[str], None]) -> int:
    """Serve until a signal; `announce` gets the URL of every address once it accepts. Returns the exit status.

    Raises:
        ConfigError: when the address cannot be listened on, or the server before this one does not hand over.
    """
    _take_all_descriptors()
    estate = inherit(config.handover) if config.handover else None
    if estate is None:
        sockets = activated(config.dead_after) or bind(config.host, config.port, config.dead_after)
        estate = Estate(listen(config.handover) if config.handover else None, sockets)

    gc.freeze()  # what is there now stays; looking at it again and again finds nothing
    gc.set_threshold(GC_THRESHOLD)

    async def main() -> int:
        server = Server(config, estate, asyncio.get_running_loop())
        for sock in estate.listeners:
            announce(url_of(sock))
        notify(f"MAINPID={os.getpid()}\nREADY=1")
        return await server.run()

    return uvloop.run(main())


def _take_all_descriptors() -> None:
    """Every party is a descriptor: use as many as the process may have, not only as many as it usually gets."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with contextlib.suppress(OSError, ValueError):  # unlimited, where the kernel wants a number
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def url_of(sock: socket.socket) -> str:
    """Where a listening socket is reached."""
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
