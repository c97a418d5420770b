"""Whether a peer still lives: what TCP knows when the peer itself is silent.

A peer may be silent for as long as its kernel answers ours, which asks by keepalive while nothing is on the way, by
sending again what was not acknowledged, and by window probes while the peer takes nothing. Left to itself it notices a
dead peer too late, since every new question starts a new count, or too early: TCP_USER_TIMEOUT also ends a connection
whose peer answers every probe and takes nothing, such as a restore that builds an index.
"""

import contextlib
import socket
import struct

PERIOD = 1 / 12  # of the time in which a dead peer is to be noticed: between two looks
ASKED = 0.3  # of that time: for so long questions were seen to be unanswered,
SILENT = 0.8  # and for so long nothing at all came

_RTO_MAX = 44  # TCP_RTO_MAX_MS of linux/tcp.h, since Linux 6.15: the longest time between two probes
_SHORTEST_RTO_MAX = 1.0  # seconds; the kernel takes no less
_CERTAIN = 2  # one question without an answer may be a lost packet
_INFO = struct.Struct("2x B B 48x I I")  # tcp_info: retransmits, probes, last_data_recv, last_ack_recv


def probe(sock: socket.socket, dead_after: float) -> None:
    """Let the kernel ask so often that a dead peer is known in `dead_after` seconds (10 or more); sockets inherit it.

    Where the kernel cannot ask so often (before Linux 6.15), a receiver that takes nothing is asked every two minutes
    in the end, so that its death is noticed after about four.
    """
    tenth = int(dead_after / 10)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    _set(sock, socket.TCP_KEEPIDLE, int(dead_after / 2))
    _set(sock, socket.TCP_KEEPINTVL, tenth)
    _set(sock, socket.TCP_KEEPCNT, 4)  # a tenth remains, since timers are late
    _set(sock, socket.TCP_USER_TIMEOUT, 9 * tenth * 1000)
    with contextlib.suppress(OSError):
        _set(sock, _RTO_MAX, int(max(_SHORTEST_RTO_MAX, dead_after * PERIOD) * 1000))


class Stall:
    """Lets a peer take nothing for as long as it lives, until `end`."""

    __slots__ = ("_before", "_sock")

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._before = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        _set(sock, socket.TCP_USER_TIMEOUT, 0)

    def end(self) -> None:
        """Limit it as before."""
        with contextlib.suppress(OSError):  # gone meanwhile
            _set(self._sock, socket.TCP_USER_TIMEOUT, self._before)


def unanswered(sock: socket.socket) -> tuple[int, float]:
    """How many questions in a row the peer's kernel has not answered, and seconds since anything came from it."""
    try:
        raw = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size)
    except OSError:  # gone, which is reported by itself
        return 0, 0.0
    retransmits, probes, data, acknowledgement = _INFO.unpack(raw)
    return max(retransmits, probes), min(data, acknowledgement) / 1000


def is_dead(questions: int, silent: float, asked: float, dead_after: float) -> bool:
    """Whether a peer counts as dead: so many unanswered questions, seconds of silence and seconds of being asked."""
    return questions >= _CERTAIN and silent >= SILENT * dead_after and asked >= ASKED * dead_after


def _set(sock: socket.socket, option: int, value: int) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, option, value)
