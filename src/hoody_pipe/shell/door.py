"""How many connections one address may have, so that nobody takes the place of all others.

An address is one of IPv4, in whatever form it came, or 64 bits of one of IPv6: that is what one site has for itself.
"""

import socket
from collections import Counter
from collections.abc import Hashable
from enum import Enum, auto
from typing import Generic, TypeVar

Address = tuple[object, ...]  # as the socket says it
Guest = TypeVar("Guest", bound=Hashable)

_MAPPED = bytes(10) + b"\xff\xff"  # ::ffff:0:0/96, an address of IPv4 on a socket of IPv6 (RFC 4291, 2.5.5.2)


class Welcome(Enum):
    """What becomes of somebody who comes."""

    SERVED = auto()
    TURNED_AWAY = auto()  # with an answer
    IGNORED = auto()


class Door(Generic[Guest]):
    """Serves `most` of each block of addresses, any number if that is 0; as many again are told why not."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._served: Counter[bytes] = Counter()
        self._turned_away: Counter[bytes] = Counter()
        self._place: dict[Guest, tuple[Counter[bytes], bytes]] = {}  # where a guest is counted

    def judge(self, address: Address) -> Welcome:
        """What becomes of one more from this address."""
        block = block_of(address) if self.most else None
        if block is None or self._served[block] < self.most:
            return Welcome.SERVED
        return Welcome.TURNED_AWAY if self._turned_away[block] < self.most else Welcome.IGNORED

    def enter(self, guest: Guest, address: Address) -> None:
        """Count one who is served, over the limit too: whoever is there already is never turned away."""
        block = block_of(address) if self.most else None
        if block is not None:
            self._count(guest, self._served, block)

    def turn_away(self, guest: Guest) -> None:
        """Count one who was served among those who are told why not."""
        _, block = self._place[guest]
        self.leave(guest)
        self._count(guest, self._turned_away, block)

    def leave(self, guest: Guest) -> None:
        """Count one no longer."""
        counted, block = self._place.pop(guest, (None, b""))
        if counted is not None:
            counted[block] -= 1
            if not counted[block]:
                del counted[block]

    def _count(self, guest: Guest, counter: Counter[bytes], block: bytes) -> None:
        counter[block] += 1
        self._place[guest] = counter, block


def block_of(address: Address) -> bytes | None:
    """What the address is counted as; None if it is none."""
    host = str(address[0]) if address else ""
    if ":" not in host:
        return socket.inet_aton(host) if host else None
    whole = socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
    return whole[12:] if whole.startswith(_MAPPED) else whole[:8]
