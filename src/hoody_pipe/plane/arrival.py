"""Whether bytes arrived: what TCP knows about the far end.

Handing bytes to the kernel proves nothing. A socket whose every byte was acknowledged by the receiver's kernel is the
proof this side can have, and a FIN or a next request after that says that the receiver's program took them too.
"""

import array
import contextlib
import fcntl
import socket
import termios

_SO_TIMESTAMPING = 37
# linux/net_tstamp.h: an event when the last byte of a send is acknowledged, without a copy of the data
_ON_ACKNOWLEDGEMENT = (1 << 9) | (1 << 11) | (1 << 4)  # TX_ACK, OPT_TSONLY, SOFTWARE
HIDING = 16 * 1024  # bytes unread; with fewer no receive window is full
_NOTE = 256  # bytes of ancillary data that hold one timestamp


def watch(sock: socket.socket) -> None:
    """From now on, report acknowledgements of what is sent as an error condition (EPOLLERR) without an error."""
    _set(sock, _ON_ACKNOWLEDGEMENT)


def unwatch(sock: socket.socket) -> None:
    """Stop reporting."""
    _set(sock, 0)


def take_report(sock: socket.socket) -> None:
    """Take a report off the socket's queue; as long as there are more, the kernel goes on telling of them."""
    with contextlib.suppress(OSError):
        sock.recvmsg(0, _NOTE, socket.MSG_ERRQUEUE)


def is_acknowledged(sock: socket.socket) -> bool:
    """Whether the peer's kernel has everything that was sent, a FIN included."""
    return unacknowledged(sock) == 0


def unacknowledged(sock: socket.socket) -> int:
    """How much of what was sent the peer's kernel has not confirmed, in bytes; a FIN is one. Also after a reset."""
    count = array.array("i", [0])
    try:
        fcntl.ioctl(sock, termios.TIOCOUTQ, count)
    except OSError:
        return 1 << 31
    return count[0]


def may_hide_end(sock: socket.socket) -> bool:
    """Whether so much waits to be read that the peer's FIN may be unable to come: it queues behind its data."""
    unread = array.array("i", [0])
    try:
        fcntl.ioctl(sock, termios.FIONREAD, unread)
    except OSError:
        return False
    return unread[0] >= HIDING


def _set(sock: socket.socket, flags: int) -> None:
    with contextlib.suppress(OSError):  # not TCP, or gone: whoever waits also looks from time to time
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPING, flags)
