"""Ways to cut an input, the same ones each time it is replayed."""

import random
import zlib
from itertools import pairwise


def all_cuts(data: bytes) -> list[list[bytes]]:
    """In one piece, byte by byte, and a few ways in between."""
    chance = random.Random(zlib.crc32(data))
    ways = [[data], [data[at : at + 1] for at in range(len(data))]]
    for pieces in (2, 3, 8):
        ways.append(cut(data, [chance.randrange(len(data) + 1) for _ in range(pieces - 1)]))
    return ways


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """The pieces between these places."""
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[first:last] for first, last in pairwise(edges) if first < last]
