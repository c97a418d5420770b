"""Everybody who is connected, and who has to go when there is no room for more."""

from collections.abc import Callable, Iterator

from hoody_pipe.shell.connection import Connection
from hoody_pipe.shell.door import Address, Door


class Crowd:
    """All open connections, in the order in which they came. `when_room` hears when there is, or can be made, room."""

    def __init__(self, door: Door[Connection]) -> None:
        self.door = door
        self.when_room: Callable[[], None] = lambda: None
        self._all: dict[Connection, None] = {}
        self._idle: dict[Connection, None] = {}  # those on which no request is served, in the order of its end

    def __iter__(self) -> Iterator[Connection]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def __contains__(self, connection: object) -> bool:
        return connection in self._all

    def enter(self, connection: Connection, address: Address) -> None:
        """One was opened; it has asked for nothing yet."""
        self._all[connection] = None
        self._idle[connection] = None
        self.door.enter(connection, address)

    def serves(self, connection: Connection) -> None:
        """It has asked for something, or will be asked for nothing more."""
        self._idle.pop(connection, None)

    def rests(self, connection: Connection) -> None:
        """It has its answer, and may ask again."""
        self._idle[connection] = None
        self.when_room()

    def leave(self, connection: Connection) -> None:
        """One was closed."""
        del self._all[connection]
        self._idle.pop(connection, None)
        self.door.leave(connection)
        self.when_room()

    def make_room(self) -> bool:
        """Close the connection that has been idle for longest; False if there is none. Nobody who is served goes."""
        idle = next((each for each in self._idle if each.is_silent), None)
        if idle is None:
            return False
        idle.close()
        return True
