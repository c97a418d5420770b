"""What systemd hands in and wants to hear: sd_listen_fds(3) and sd_notify(3)."""

import contextlib
import os
import socket

from hoody_pipe.errors import ConfigError
from hoody_pipe.shell.listener import prepare

_FIRST = 3


def activated(dead_after: float) -> list[socket.socket]:
    """The listening sockets that this process was started with; none if it was not activated by a socket.

    Raises:
        ConfigError: when one of them is not a listening TCP socket.
    """
    count = os.environ.pop("LISTEN_FDS", "0")
    if os.environ.pop("LISTEN_PID", "") != str(os.getpid()) or not count.isdecimal():
        return []
    sockets = []
    for fd in range(_FIRST, _FIRST + int(count)):
        try:
            os.set_inheritable(fd, False)
            sock = socket.socket(fileno=fd)
            is_usable = sock.family in (socket.AF_INET, socket.AF_INET6)
            if not is_usable or not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                raise ConfigError(f"descriptor {fd} in LISTEN_FDS is not a listening TCP socket")
            sock.setblocking(False)
            prepare(sock, dead_after)
        except OSError as error:
            raise ConfigError(f"descriptor {fd} in LISTEN_FDS cannot be used: {error.strerror}") from error
        sockets.append(sock)
    return sockets


def notify(state: str) -> None:
    """Tell the service manager, if there is one."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if path:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto(state.encode(), "\0" + path[1:] if path.startswith("@") else path)
