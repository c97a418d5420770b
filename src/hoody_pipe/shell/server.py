"""The life of one server: start, serve, hand over or drain, stop."""

import asyncio
import signal

from hoody_pipe.config import Config
from hoody_pipe.shell.deadlines import Deadlines
from hoody_pipe.shell.estate import Estate
from hoody_pipe.shell.handover import Handover
from hoody_pipe.shell.listener import Listener
from hoody_pipe.shell.poller import Poller
from hoody_pipe.shell.relay import Relay
from hoody_pipe.shell.vigil import Vigil

OUT_OF_TIME = 1  # the exit status when transfers were broken after --drain-timeout


class Server:
    """Serves on sockets that listen already, until it is told to stop or has handed over."""

    def __init__(self, config: Config, estate: Estate, loop: asyncio.AbstractEventLoop) -> None:
        self._config = config
        self._loop = loop
        self._poller = Poller(loop)
        self._deadlines = Deadlines(loop)
        self._relay = Relay(config, self._poller, self._deadlines)
        self._relay.when_closed = self._stop_if_done
        self._relay.crowd.when_room = self._resume
        self._stopped = asyncio.Event()
        self._is_stopping = False
        self._status = 0
        self._handover: Handover | None = None
        if estate.control is not None:
            self._handover = Handover(self._relay, loop, estate.control, estate.listeners, self._leave)
        self._relay.succession.enter(estate)
        accept, make_room = self._relay.accept, self._relay.crowd.make_room
        self._listeners = [Listener(loop, sock, accept, make_room) for sock in estate.listeners]
        Vigil(self._relay.crowd, self._poller, self._deadlines, config.dead_after)

    async def run(self) -> int:
        """Serve until SIGTERM or SIGINT, or a handover, and the end of all running transfers.

        A second signal does not wait. SIGHUP starts a successor, if there may be one. Returns the exit status: 0 when
        every transfer has ended by itself, 1 when some were broken after the drain timeout, 128 + signal number when a
        second signal cut the drain short.
        """
        handlers = {signal.SIGTERM: self._on_signal, signal.SIGINT: self._on_signal}
        if self._handover is not None:
            handlers[signal.SIGHUP] = self._on_hangup
        for number, handler in handlers.items():
            self._loop.add_signal_handler(number, handler, number)
        await self._stopped.wait()
        for number in handlers:
            self._loop.remove_signal_handler(number)
        self._relay.close()
        self._poller.close()
        self._deadlines.close()
        return self._status

    def _resume(self) -> None:
        for listener in self._listeners:
            listener.resume()

    def _stop_if_done(self) -> None:
        """End last: a service manager takes the end of the newest server for the end of all."""
        relay = self._relay
        if relay.is_draining and not relay.crowd and not relay.succession.predecessors:
            self._stopped.set()

    def _on_hangup(self, number: int) -> None:
        if self._handover is not None:
            self._handover.start_successor()

    def _on_signal(self, number: int) -> None:
        if self._is_stopping:
            self._status = 128 + number
            self._stopped.set()
            return
        self._is_stopping = True
        if self._config.drain_timeout:
            self._deadlines.arm(self, self._config.drain_timeout, self._give_up)
        if self._handover is not None:
            self._handover.close()
        if not self._relay.is_draining:
            self._relay.drain()
        self._leave()

    def _give_up(self) -> None:
        self._status = OUT_OF_TIME
        self._relay.abort()

    def _leave(self) -> None:
        """Accept no more; what runs ends here."""
        self._handover = None
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()
        self._stop_if_done()
