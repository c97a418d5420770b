"""Digests made on a thread of their own (protocol F.2)."""

import hashlib
from collections.abc import Iterator

import pytest

from hoody_pipe.plane.hashing import WORTH_IT, Hasher

SIZE = 4 * WORTH_IT


@pytest.fixture
def hasher() -> Iterator[Hasher]:
    hasher = Hasher(SIZE)
    yield hasher
    hasher.close()


def test_bodies_that_alternate_in_the_same_buffers_keep_their_own_digests(hasher: Hasher) -> None:
    digests = [hasher.start() for _ in range(3)]
    expected = [hashlib.sha256() for _ in digests]
    for turn in range(20):
        for number, digest in enumerate(digests):
            piece = bytes([turn * 3 + number]) * (SIZE if turn % 3 else 100)
            buffer = digest.buffer()
            buffer[: len(piece)] = piece
            view = memoryview(buffer)
            digest.update([view[:50], view[50 : len(piece)]])
            expected[number].update(piece)
    assert [digest.hexdigest() for digest in digests] == [one.hexdigest() for one in expected]


def test_a_buffer_is_not_given_out_while_it_is_read(hasher: Hasher) -> None:
    digest = hasher.start()
    first = digest.buffer()
    with hasher.reading[1]:
        assert digest.buffer() is not first


def test_no_bytes_have_a_digest_too(hasher: Hasher) -> None:
    digest = hasher.start()
    digest.update([])
    assert digest.hexdigest() == hashlib.sha256(b"").hexdigest()
