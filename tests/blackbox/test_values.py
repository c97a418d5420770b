"""Every malformed value of every parameter, each with its exact answer; and the odd values that are taken."""

import json

import pytest

from blackbox import lines
from blackbox.harness import Clients
from blackbox.rawhttp import request
from blackbox.sse import Spectator

COUNT = '[ERROR] Invalid receiver count — "n" must be a positive integer.'
WAIT = '[ERROR] Invalid wait — "wait" must be an integer number of seconds (1-3600).'
RANGE = "[ERROR] Wait out of range (1-3600 seconds, got {})."
SIZE = '[ERROR] Invalid size — "size" must be a number of bytes, like 4096, 200G, 1.5T or 10GiB.'
REQUIRE = '[ERROR] Invalid "require" — must be "all" or "any".'
TRANSFER = '[ERROR] Invalid "transfer" — 16-64 characters A-Z a-z 0-9 _ -.'
TRANSFER_ID = "[ERROR] Invalid transfer id."
BOUNDARY = "[ERROR] Invalid multipart/form-data — a boundary of 1 to 70 characters is needed."
RANGED = "[ERROR] Content-Range headers are not supported."
WORKER = "[ERROR] Service Worker requests are not allowed."
EXPECT = "[ERROR] The only expectation that can be met is 100-continue."
BAD = "[ERROR] Bad request — "
FRAMING = BAD + "Content-Length and Transfer-Encoding must be valid, and only one of them given."
DIGITS = BAD + "Content-Length must be one number of 1 to 19 digits."
CODING = BAD + "the only Transfer-Encoding is chunked, over HTTP/1.1."
PATH = "[ERROR] Invalid path — "
DOTS = PATH + "'.' and '..' segments are not allowed."
CONTROL = PATH + "control characters are not allowed."
BACKSLASH = PATH + "a backslash is not allowed."
SLASH = PATH + "an encoded slash is not allowed."
PERCENT = PATH + "a percent sign must be followed by two hex digits."
EMPTY = PATH + "the name is empty."
LONG = "[ERROR] Path too long (max 1024 characters)."

BODY = b"still here"


def is_untouched(clients: Clients, name: str) -> bool:
    """Whether nothing is registered on a name: any count of receivers may meet there."""
    receivers = [clients.raw(request("GET", f"/{name}?n=2")) for _ in range(2)]
    sender = clients.raw(request("PUT", f"/{name}?n=2", body=BODY))
    delivered = [receiver.answer().body for receiver in receivers] == [BODY] * 2
    return delivered and sender.answer().lines[-1] == lines.COMPLETE


# A.4, B.1, B.4, B.5, C.4, E.3, F.1, F.3, Z.1, Z.2, Z.5, Z.6: malformed values

BOTH = ("PUT", "GET")
QUERIES = [  # an empty value stands for a bare key too
    (BOTH, "n", ["", "0", "257", "-1", "%2B1", "+1", "1.5", "1%20", "0x1", "x", "%D9%A3", "9" * 40], COUNT),
    (BOTH, "wait", ["", "abc", "1.5", "1s", "%2B5", "+5", "1e2", "%D9%A3", "9" * 40], WAIT),
    *[(BOTH, "wait", [bad], RANGE.format(bad)) for bad in ("0", "-1", "3601", "7200")],
    (("PUT",), "size", ["", "x", "-1", "+1", "1,5G", "1.", ".5", "10%20G", "0x10", "1e9", "5iB", "5Gb2"], SIZE),
    (("PUT",), "require", ["", "some", "ALL", "1", "any%20"], REQUIRE),
    (("PUT",), "transfer", ["", "x" * 15, "x" * 65, "x" * 15 + ".", "x" * 16 + "%0A", "%C3%A9" * 16], TRANSFER),
    (("GET", "HEAD"), "status&transfer", ["", "x" * 15, "x" * 65, "x" * 15 + "/", "%C3%A9" * 16], TRANSFER_ID),
]
FORM = "multipart/form-data"
FIELDS = [
    (("PUT",), 400, "Content-Range", ["bytes 0-9/10", "x", ""], RANGED),
    (BOTH, 400, "Service-Worker", ["script", "Script"], WORKER),
    (
        ("PUT",),
        400,
        "Content-Type",
        [FORM, FORM + ";x=y", f'{FORM}; boundary="a b "', f'{FORM}; boundary=""'],
        BOUNDARY,
    ),
    (
        ("PUT",),
        400,
        "Content-Type",
        [f"{FORM}; boundary={bad}" for bad in ("", "a,b", '"a', "\xe9", "x" * 71)],
        BOUNDARY,
    ),
    (BOTH, 417, "Expect", ["tea", "", "100-continue, tea"], EXPECT),
    (("PUT",), 400, "Content-Length", ["", "x", "+1", "-1", "1,1", "1 1", "0x1", "9" * 20], FRAMING),
    (("PUT",), 400, "Content-Length", ["1" * 20], DIGITS),
    (("PUT",), 400, "Transfer-Encoding", ["gzip, chunked"], CODING),
    (("PUT",), 400, "Transfer-Encoding", ["gzip", "chunked, chunked", ""], FRAMING),
]
NAMES = [
    (DOTS, ["/.", "/..", "/%2e", "/.%2E", "/{name}/../x", "/{name}/%2e%2E", "/help/."]),
    (CONTROL, ["/{name}%00", "/{name}%0A", "/{name}%1f", "/{name}%7F", "/help%00"]),
    (BACKSLASH, ["/{name}\\x", "/{name}%5C", "/help\\"]),
    (SLASH, ["/{name}%2f", "/{name}%2Fx", "/help%2F"]),
    (PERCENT, ["/{name}%", "/{name}%4", "/{name}%4g", "/{name}%%41"]),
    (EMPTY, ["///", "////"]),
]


def written(key: str, value: str) -> list[str]:
    """How a key and a value may stand in a query."""
    return [f"{key}={value}"] if value else [key, f"{key}="]


MALFORMED = [
    *[
        (method, "/{name}?" + query, "", 400, line)
        for methods, key, values, line in QUERIES
        for value in values
        for query in written(key, value)
        for method in methods
    ],
    *[
        (method, "/{name}", f"{field}: {value}", status, line)
        for methods, status, field, values, line in FIELDS
        for value in values
        for method in methods
    ],
    *[
        (method, prefix + path, "", 400, line)
        for line, paths in NAMES
        for path in paths
        for method in ("GET", "PUT", "OPTIONS", "HEAD")
        for prefix in ("", "/api/v1/pipe")
    ],
    *[
        (method, prefix + "/" + name, "", 414, LONG)
        for name in ("x" * 1025, "%41" * 341 + "xx")
        for method in ("GET", "PUT", "OPTIONS", "HEAD")
        for prefix in ("", "/api/v1/pipe")
    ],
]


@pytest.mark.parametrize(("method", "target", "field", "status", "line"), MALFORMED)
def test_a_malformed_value_has_its_own_answer_and_registers_nothing(
    clients: Clients, name: str, method: str, target: str, field: str, status: int, line: str
) -> None:
    fields = [field] if field else []
    answer = clients.raw(request(method, target.replace("{name}", name), *fields)).answer(method)
    assert (answer.status, answer.lines) == (status, [] if method == "HEAD" else [line])
    assert answer.fields["content-type"] == "text/plain; charset=utf-8"
    assert answer.fields["content-length"] == str(len(line.encode()) + 1)
    assert is_untouched(clients, name)


# A.4, B.1, B.5, B.6, F.1, F.3, H: the last values that are taken

EDGES = [
    ("?n=256", "", ""),
    ("?n=01", "", ""),
    ("?wait=1", "", ""),
    ("?wait=3600", "", ""),
    ("?_=" + "x" * 30_000, "", ""),
    ("?transfer={name}" + "x" * (64 - 18), "", ""),
    ("", "Service-Worker: none", ""),
    ("", "Expect: 100-Continue", ""),
    ("", "Content-Length: " + "9" * 19, ""),
    ("", f"Content-Type: {FORM}; boundary={'x' * 70}", ""),
    ("", "", "x" * (1023 - 18)),
    ("", "", "%41" * ((1023 - 18) // 3)),
]


@pytest.mark.parametrize(("query", "field", "suffix"), EDGES)
def test_the_last_value_before_the_malformed_ones_is_taken(
    clients: Clients, name: str, query: str, field: str, suffix: str
) -> None:
    fields = [field] if field else []
    sender = clients.raw(request("PUT", f"/{name}/{suffix}{query.format(name=name)}", *fields))
    head = sender.head()
    while head.status == 100:
        head = sender.head()
    assert head.status == 200


def test_a_length_of_19_digits_passes(clients: Clients, name: str) -> None:
    receiver = clients.raw(request("GET", f"/{name}"))
    clients.raw(request("PUT", f"/{name}", "Content-Length: " + "9" * 19) + b"begun")
    assert receiver.head().fields["content-length"] == "9" * 19
    assert receiver.exactly(5) == b"begun"


# A.5, F.2, J: flags

FLAGS = [
    "video",
    "progress",
    "receive",
    "share",
    "status",
    "ws",
    "live",
    "sha256",
    "autostart",
    "audio",
    "quiet",
    "last",
]


@pytest.mark.parametrize("value", ["maybe", "on", "2", "false", "No", "0"])
@pytest.mark.parametrize("flag", [*FLAGS, "download"])
def test_a_flag_that_is_not_on_leaves_sender_and_receiver_what_they_are(
    clients: Clients, name: str, flag: str, value: str
) -> None:
    receiver = clients.raw(request("GET", f"/{name}?{flag}={value}", "Accept: text/html"))
    sender = clients.raw(request("PUT", f"/{name}?{flag}={value}", body=BODY))
    assert receiver.answer().body == BODY
    answer = sender.answer()
    assert (answer.lines[-1], "content-length" in answer.fields) == (lines.COMPLETE, False)
    assert not [line for line in answer.lines if "SHA-256" in line]


@pytest.mark.parametrize("on", ["", "=", "=true", "=yes", "=1", "=TRUE", "=1&_=0.123"])
def test_a_flag_is_on_in_each_of_its_spellings(clients: Clients, name: str, on: str) -> None:
    assert json.loads(clients.raw(request("GET", f"/{name}?status{on}")).answer().body)["state"] == "idle"
    assert Spectator(clients, name, query=f"progress{on}").next().name == "state"
    receiver = clients.raw(request("GET", f"/{name}?download{on}"))
    sender = clients.raw(request("PUT", f"/{name}?quiet{on}&sha256{on}", body=BODY))
    assert receiver.answer().fields["content-disposition"] == f'attachment; filename="{name}"'
    answer = sender.answer()
    assert "content-length" in answer.fields
    assert [line for line in answer.lines if "SHA-256" in line]


@pytest.mark.parametrize(
    ("of_sender", "of_receiver"),
    [("status", "size=x&require=x&transfer=x&quiet=x"), ("filename=/&download=x&status=1&progress", "_=1&a=%00&b=%zz")],
)
def test_what_is_not_for_a_party_is_not_looked_at(
    clients: Clients, name: str, of_sender: str, of_receiver: str
) -> None:
    receiver = clients.raw(request("GET", f"/{name}?{of_receiver}"))
    sender = clients.raw(request("PUT", f"/{name}?{of_sender}", body=BODY))
    assert receiver.answer().body == BODY
    assert sender.answer().lines[-1] == lines.COMPLETE


# A.5, F.5: precedence


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_live_and_ws_exclude_each_other_before_anything_else(clients: Clients, name: str, method: str) -> None:
    query = "live&ws&n=0&wait=x&progress&video"
    answer = clients.raw(request(method, f"/{name}?{query}", "Accept: text/html", "Service-Worker: script")).answer()
    assert (answer.status, answer.lines) == (400, ['[ERROR] "live" cannot be combined with "ws".'])
    assert is_untouched(clients, name)
