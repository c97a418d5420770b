"""A request as a whole: what it asks for, or a refusal; nothing of it gets into a response as it came."""

from fuzz.safe import assert_safe_fields, assert_safe_refusal
from hoody_pipe.core.admission import Receive, Send, admit
from hoody_pipe.core.forwarding import Forwarded
from hoody_pipe.core.limits import Limits
from hoody_pipe.core.params import EMPTY, Params
from hoody_pipe.errors import Refused
from hoody_pipe.wire.chunked import CountedDecoder
from hoody_pipe.wire.multipart import FormDecoder

METHODS = ("GET", "PUT", "POST", "HEAD", "OPTIONS", "DELETE")
LIMITS = Limits()


def check(data: bytes) -> None:
    """The first line is the target, or only its query; the others are header fields."""
    first, *lines = data.split(b"\n")
    target = bytes(byte for byte in first if byte > 0x20 and byte != 0x7F).decode("utf-8", "surrogateescape")
    if not target.startswith("/"):
        target = "/x?" + target
    headers = dict(_field(line) for line in lines)
    for method in METHODS:
        try:
            intent = admit(method, target, headers, LIMITS)
        except Refused as refused:
            assert_safe_refusal(refused.refusal)
            continue
        if isinstance(intent, Send):
            check_sender(intent)
        elif isinstance(intent, Receive):
            check_receiver(intent, headers)


def _field(line: bytes) -> tuple[str, str]:
    """As a head gives it: no control character in it but tabs."""
    name, _, value = bytes(byte for byte in line if (byte > 0x1F and byte != 0x7F) or byte == 9).partition(b":")
    return name.decode("latin-1").lower(), value.decode("latin-1").strip(" \t")


def check_sender(intent: Send) -> None:
    """Every number is within its bounds."""
    assert 1 <= intent.n <= LIMITS.receivers
    assert 1 <= intent.wait <= LIMITS.longest_wait
    assert intent.size is None or intent.size >= 0
    assert intent.transfer is None or 16 <= len(intent.transfer) <= 64
    if intent.boundary is not None:
        FormDecoder(CountedDecoder(0), intent.boundary, 0)
    assert_safe_fields(intent.forwarded.fields_for(EMPTY, intent.name))


def check_receiver(intent: Receive, headers: dict[str, str]) -> None:
    """And what it asks for can be said of any body."""
    assert 1 <= intent.n <= LIMITS.receivers
    assert 1 <= intent.wait <= LIMITS.longest_wait
    assert isinstance(intent.params, Params)
    assert_safe_fields(Forwarded.of(headers, LIMITS).fields_for(intent.params, intent.name))
