"""The life of one server: start, serve, drain, stop."""

import asyncio
import signal
import socket

from hoody_pipe.config import Config
from hoody_pipe.shell.connection import Connection
from hoody_pipe.shell.deadlines import Deadlines
from hoody_pipe.shell.listener import Listener
from hoody_pipe.shell.poller import Poller
from hoody_pipe.shell.relay import Relay
from hoody_pipe.shell.vigil import Vigil


class Server:
    """Serves on sockets that listen already, until it is told to stop."""

    def __init__(self, config: Config, sockets: list[socket.socket], loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._poller = Poller(loop)
        self._deadlines = Deadlines(loop)
        self._relay = Relay(config, self._poller, self._deadlines)
        self._listeners = [Listener(loop, sock, self._accept) for sock in sockets]
        Vigil(self._relay.connections, self._poller, self._deadlines, config.dead_after)
        self._relay.when_closed = self._connection_closed
        self._stopped = asyncio.Event()
        self._killed_by: int | None = None

    async def run(self) -> int:
        """Serve until SIGTERM or SIGINT and the end of all running transfers; a second signal does not wait.

        Returns the exit status: 0 after a drain, 128 + signal number when it was cut short.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._on_signal, number)
        await self._stopped.wait()
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.remove_signal_handler(number)
        self._relay.close()
        self._poller.close()
        self._deadlines.close()
        return 128 + self._killed_by if self._killed_by else 0

    def _accept(self, sock: socket.socket, address: tuple[object, ...]) -> None:
        Connection(sock, self._relay, address)

    def _connection_closed(self) -> None:
        for listener in self._listeners:
            listener.resume()
        if self._relay.is_draining and not self._relay.connections:
            self._stopped.set()

    def _on_signal(self, number: int) -> None:
        if self._relay.is_draining:
            self._killed_by = number
            self._stopped.set()
            return
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()
        self._relay.drain()
        if not self._relay.connections:
            self._stopped.set()
