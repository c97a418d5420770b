"""The path of a request: a name, a page or a refusal, and a name means the same when it is asked for again."""

import re

from fuzz.safe import assert_safe_fields, assert_safe_refusal
from hoody_pipe.core.forwarding import render_disposition, safe_filename
from hoody_pipe.core.names import OURS, PREFIX, Place, last_segment, resolve, secret
from hoody_pipe.errors import Refused

LONGEST = 64
ESCAPE = re.compile("%..")


def check(data: bytes) -> None:
    """As it comes in a request line, with the prefix and without."""
    allowed = bytes(byte for byte in data if byte > 0x20 and byte != 0x7F and byte not in b"?#")
    path = "/" + allowed.decode("utf-8", "surrogateescape")
    for asked in (path, PREFIX + path):
        try:
            place = resolve(asked, LONGEST)
        except Refused as refused:
            assert_safe_refusal(refused.refusal)
        else:
            check_place(place)
            if not place.reserved:
                check_identity(asked, place.name)


def check_identity(asked: str, name: str) -> None:
    """Nothing is decoded; only the digits of escapes are folded."""
    rest = asked[len(PREFIX) :] if asked.startswith(PREFIX + "/") else asked
    assert name.lower() == rest.lower()
    assert ESCAPE.sub("", name) == ESCAPE.sub("", rest)


def check_place(place: Place) -> None:
    """It can be used wherever names are used."""
    try:
        again = resolve(PREFIX + place.name, LONGEST)
        if again.name in OURS and not place.reserved:  # reserved under the prefix alone
            again = resolve(place.name, LONGEST)
    except Refused:
        raise AssertionError(f"{place} is refused when it is asked for again") from None
    assert again == place, again
    assert len(place.name) <= LONGEST + 1
    assert len(secret(place.name)) == 64
    filename = safe_filename(last_segment(place.name))
    assert not filename.startswith(".")
    assert not set(filename) & {"/", "\\"}
    assert_safe_fields([("Content-Disposition", render_disposition("attachment", filename))])
