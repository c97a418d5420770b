"""Those who watch a name without taking part: a stream of server-sent events each (protocol E.1).

The spectators of one name are a group. What happens on the name is rendered once for the whole group, and how far the
bytes are is read off the mover's own counter every so often, so a transfer never waits for anybody who watches it. A
spectator that does not take what it is sent is dropped.
"""

import socket
import time
from collections import deque
from collections.abc import Callable

from hoody_pipe.config import Config
from hoody_pipe.core.pipe import Standing, State
from hoody_pipe.core.progress import Measure, Outcome, done_event, progress_event, state_event
from hoody_pipe.shell.connection import Connection
from hoody_pipe.shell.deadlines import Deadlines
from hoody_pipe.wire import events, response
from hoody_pipe.wire.head import RequestHead

KERNEL_BUFFER = 16 * 1024  # bytes; who leaves more than that unread, and as much again, does not read at all
RECENT = 5.0  # seconds over which the speed is taken
SHORTEST = 0.1  # seconds that say something of a speed
PACE = 0.0005  # seconds of an interval that each spectator adds: telling one takes some 10 µs, so a crowd costs 2 %

View = Callable[[], tuple[Standing, Measure]]


class Spectator:
    """One spectator. Its connection serves nothing else: the small buffer would slow a stream."""

    def __init__(self, connection: Connection, head: RequestHead, group: "Group") -> None:
        self._connection = connection
        self._group = group
        self._is_chunked = head.minor == 1
        fields = response.event_fields(int(time.time()), head.headers.get("origin"), self._is_chunked)
        connection.occupant = self
        self._begin_stay()
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER)
        connection.write(response.render_head(200, fields))

    def send(self, frame: events.Frame) -> None:
        """Send one event."""
        self._connection.write(frame.chunked if self._is_chunked else frame.plain)

    def end(self) -> None:
        """End the stream in good order."""
        if self._is_chunked:
            self._connection.write(response.LAST_CHUNK)
        self._connection.linger()

    def ready(self, mask: int) -> None:
        """It says nothing more but its end."""
        if self._connection.peer_ended:
            self._connection.close()
            self.gone()

    def _begin_stay(self) -> None:
        self._connection.wait(self._group.spectator_time, self._end_stay)

    def _end_stay(self) -> None:
        """It has watched for long; whoever watches a transfer may stay (protocol Z.10)."""
        if self._group.is_streaming:
            self._begin_stay()
        else:
            self._group.leave(self)
            self.end()

    def gone(self) -> None:
        """The connection broke."""
        self._group.leave(self)


class Group:
    """The spectators of one name."""

    def __init__(self, view: View, config: Config, deadlines: Deadlines, when_empty: Callable[[], None]) -> None:
        self.spectators: dict[Spectator, None] = {}
        self.spectator_time = config.spectator_time
        self._view = view
        self._config = config
        self._deadlines = deadlines
        self._when_empty = when_empty
        self._samples: deque[tuple[float, int]] = deque()  # seconds since the start, bytes
        self._standing, _ = view()
        self._progress_key = object()
        self._keep_alive()
        if self.is_streaming:
            self._tick()

    def join(self, connection: Connection, head: RequestHead) -> None:
        """Take one more, and show where things stand."""
        spectator = Spectator(connection, head, self)
        self.spectators[spectator] = None
        spectator.send(events.event("state", state_event(self._standing)))
        if self.is_streaming:
            spectator.send(self._progress())

    def leave(self, spectator: Spectator) -> None:
        """One went away."""
        del self.spectators[spectator]
        if not self.spectators:
            self.close()

    def notice(self) -> None:
        """Something happened on the name."""
        before, was_streaming = self._standing, self.is_streaming
        self._standing, _ = self._view()
        if state_event(before) != state_event(self._standing):
            self._send(events.event("state", state_event(self._standing)))
        if self.is_streaming and not was_streaming:
            self._samples.clear()
            self._tick()

    def finish(self, outcome: Outcome) -> None:
        """Show how it ended, and end every stream."""
        self._send(events.event("done", done_event(outcome)))
        self.dismiss()

    def dismiss(self) -> None:
        """End every stream."""
        for spectator in list(self.spectators):
            spectator.end()
        self.spectators.clear()
        self.close()

    def close(self) -> None:
        """Nobody watches."""
        self._deadlines.cancel(self)
        self._deadlines.cancel(self._progress_key)
        self._when_empty()

    @property
    def is_streaming(self) -> bool:
        """Whether a transfer runs."""
        return self._standing.state in (State.STREAMING, State.FINISHING)

    def _send(self, frame: events.Frame) -> None:
        for spectator in list(self.spectators):
            spectator.send(frame)

    def _tick(self) -> None:
        """Show how far the bytes are, at most once in the interval."""
        if self.is_streaming:
            self._send(self._progress())
            interval = max(self._config.progress_interval, PACE * len(self.spectators))
            self._deadlines.arm(self._progress_key, interval, self._tick)

    def _progress(self) -> events.Frame:
        standing, measure = self._view()
        return events.event("progress", progress_event(standing, measure, self._speed(measure)))

    def _speed(self, measure: Measure) -> float:
        """Bytes per second over the last seconds."""
        samples = self._samples
        samples.append((measure.elapsed, measure.moved))
        while samples[-1][0] - samples[0][0] > RECENT:
            samples.popleft()
        seconds, moved = measure.elapsed - samples[0][0], measure.moved - samples[0][1]
        return moved / seconds if seconds >= SHORTEST else measure.speed

    def _keep_alive(self) -> None:
        self._send(events.KEEPALIVE)
        self._deadlines.arm(self, self._config.event_keep_alive, self._keep_alive)


class Spectators:
    """All groups."""

    def __init__(self, config: Config, deadlines: Deadlines) -> None:
        self._config = config
        self._deadlines = deadlines
        self._groups: dict[str, Group] = {}

    def __len__(self) -> int:
        return sum(len(group.spectators) for group in self._groups.values())

    def is_full(self, name: str) -> bool:
        """Whether nobody more may watch this name."""
        group = self._groups.get(name)
        if group is None:
            return len(self._groups) >= self._config.max_spectator_groups
        return len(group.spectators) >= self._config.max_spectators

    def join(self, name: str, connection: Connection, head: RequestHead, view: View) -> None:
        """Let one more watch a name, which `view` shows."""
        group = self._groups.get(name)
        if group is None:
            group = Group(view, self._config, self._deadlines, lambda: self._drop(name))
            self._groups[name] = group
        group.join(connection, head)

    def notice(self, name: str) -> None:
        """Something happened on a name."""
        group = self._groups.get(name)
        if group is not None:
            group.notice()

    def finish(self, name: str, outcome: Outcome) -> None:
        """What was on a name has ended."""
        group = self._groups.get(name)
        if group is not None:
            group.finish(outcome)

    def dismiss(self, names_in_use: Callable[[str], bool]) -> None:
        """End the streams of those who watch names that are not in use."""
        for name, group in list(self._groups.items()):
            if not names_in_use(name):
                group.dismiss()

    def _drop(self, name: str) -> None:
        self._groups.pop(name, None)
