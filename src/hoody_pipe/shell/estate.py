"""What one server leaves to the next: its listening sockets, and everybody who is not being served just now.

The message types, in order: `server` (the control socket and the listening sockets), `predecessor` (the channel to a
server that is still draining, and the names in use there), `guest` (one connection), `outcomes` (what is remembered of
transfers that ended), `end`. The heir answers `ready`
when it has everything; only `yours` makes it the owner, so that whatever fails before leaves the old server as it was.
"""

import contextlib
import os
import socket
import stat
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Self

from hoody_pipe.core.pipe import Ending
from hoody_pipe.core.progress import Measure, Outcome
from hoody_pipe.errors import ConfigError
from hoody_pipe.shell.channel import Channel, Message

VERSION = 1  # of the messages; a server hands over only to one that speaks the same
BACKLOG = 8
AT_ONCE = 500  # outcomes in one message


@dataclass(slots=True)
class Guest:
    """A connection, and the request that waits on it if there is one.

    `pending` was read and not used, `unsent` written and not sent; `left` is the rest of its wait in seconds, None when
    it has only just come; `state` is what its party knows of itself.
    """

    sock: socket.socket
    pending: bytes = b""
    unsent: bytes = b""
    head: bytes = b""
    left: float | None = None
    state: Message = field(default_factory=dict)

    def send(self, channel: Channel) -> None:
        """Hand it to the other end."""
        raw = {key: getattr(self, key).decode("latin-1") for key in ("pending", "unsent", "head")}
        channel.send({"type": "guest", **raw, "left": self.left, "state": self.state}, self.sock.fileno())

    @classmethod
    def received(cls, message: Message, fd: int) -> Self:
        """One that was handed over."""
        raw = {key: message[key].encode("latin-1") for key in ("pending", "unsent", "head")}
        return cls(_adopt(fd), **raw, left=message["left"], state=message["state"])


@dataclass(slots=True)
class Kept:
    """An outcome, on which shelf it is kept and for how many seconds already."""

    shelf: str
    age: float
    outcome: Outcome

    @classmethod
    def received(cls, fields: Message) -> Self:
        """One that was handed over."""
        outcome = fields["outcome"]
        ending, measure = Ending(**outcome["ending"]), Measure(**outcome["measure"])
        return cls(fields["shelf"], fields["age"], Outcome(outcome["owner"], ending, measure))


@dataclass(slots=True)
class Estate:
    """Everything at once.

    `control` is where a successor asks, if one may; `predecessors` are servers that still drain, with the names that
    are in use there.
    """

    control: socket.socket | None
    listeners: list[socket.socket]
    predecessors: list[tuple[Channel, list[str]]] = field(default_factory=list)
    guests: list[Guest] = field(default_factory=list)
    outcomes: list[Kept] = field(default_factory=list)


def listen(path: str) -> socket.socket:
    """The socket on which a successor asks; only our own user may.

    Raises:
        ConfigError: when there can be none.
    """
    sock = _socket()
    before = os.umask(0o177)
    try:
        with contextlib.suppress(FileNotFoundError):
            if stat.S_ISSOCK(os.stat(path).st_mode):
                os.unlink(path)  # left by a server that was killed: nobody answered there
        sock.bind(path)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise ConfigError(f"cannot listen on {path}: {error.strerror or error}") from error
    finally:
        os.umask(before)
    sock.setblocking(False)
    return sock


def inherit(path: str) -> Estate | None:
    """Take over from the server that listens on `path`; None if there is none.

    Raises:
        ConfigError: when it keeps what it has.
    """
    sock = _socket()
    channel = Channel(sock)
    try:
        sock.connect(path)
    except (FileNotFoundError, ConnectionRefusedError):
        sock.close()
        return None
    except OSError as error:
        sock.close()
        raise ConfigError(f"cannot take over from {path}: {error.strerror or error}") from error
    try:
        channel.send({"type": "heir", "version": VERSION})
        estate = _collect(channel)
        channel.send({"type": "ready"})
        channel.receive()  # yours
    except (OSError, EOFError, KeyError, TypeError, ValueError) as error:
        channel.close()  # what was received goes with this process, the old server has it still
        raise ConfigError(f"the server at {path} did not hand over") from error
    return estate


def _collect(channel: Channel) -> Estate:
    message, fds = channel.receive()
    control, *listeners = [_adopt(fd) for fd in fds]
    estate = Estate(control, listeners, [(channel, message["names"])])
    while True:
        message, fds = channel.receive()
        if message["type"] == "guest":
            estate.guests.append(Guest.received(message, fds[0]))
        elif message["type"] == "predecessor":
            estate.predecessors.append((Channel(socket.socket(fileno=fds[0])), message["names"]))
        elif message["type"] == "outcomes":
            estate.outcomes += [Kept.received(each) for each in message["kept"]]
        else:
            return estate


def bequeath(channel: Channel, names: Iterable[str], estate: Estate) -> bool:
    """Hand over to the heir at the other end; False if it did not take it, and then nothing has changed."""
    try:
        asked, _ = channel.receive()
        if asked.get("version") != VERSION:
            return False
        fds = [sock.fileno() for sock in (estate.control, *estate.listeners) if sock is not None]
        channel.send({"type": "server", "names": list(names)}, *fds)
        for predecessor, theirs in estate.predecessors:
            channel.send({"type": "predecessor", "names": theirs}, predecessor.sock.fileno())
        for guest in estate.guests:
            guest.send(channel)
        for start in range(0, len(estate.outcomes), AT_ONCE):
            channel.send(
                {"type": "outcomes", "kept": [asdict(kept) for kept in estate.outcomes[start : start + AT_ONCE]]}
            )
        channel.send({"type": "end"})
        channel.receive()  # ready
        channel.send({"type": "yours"})
    except (OSError, EOFError, ValueError):
        return False
    return True


def _socket() -> socket.socket:
    return socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def _adopt(fd: int) -> socket.socket:
    sock = socket.socket(fileno=fd)
    sock.setblocking(False)
    return sock
