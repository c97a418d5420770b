"""Request heads, read strictly (protocol Z.6; RFC 9112)."""

import time

import pytest

from hoody_pipe.errors import Refused
from hoody_pipe.wire.head import LONGEST, find_end, parse

HOST = b"Host: x\r\n"


def head(line: bytes = b"PUT /x HTTP/1.1", fields: bytes = HOST) -> bytes:
    return line + b"\r\n" + fields + b"\r\n"


def test_a_head_ends_with_an_empty_line() -> None:
    data = head()
    assert find_end(data + b"body") == len(data)
    assert find_end(data[:-1]) == 0
    assert find_end(b"") == 0


def test_one_empty_line_before_a_head_is_skipped() -> None:
    data = b"\r\n" + head()
    assert find_end(data) == len(data)
    assert parse(data).target == "/x"


@pytest.mark.parametrize(
    ("begin", "fault"),
    [
        (b"GET / HTTP/1.1\n", "a line must end with CR LF"),
        (b"\n", "a line must end with CR LF"),
        (b"GET / HTTP/1.1\rH", "a carriage return must be followed"),
        (b"GET / HTTP/1.1\r\nA: \0", "control characters are not allowed"),
        (b"\x16", "control characters are not allowed"),
        (b"\r\n\r", "only one empty line"),
    ],
)
def test_what_no_head_can_hold_is_refused_before_there_is_an_end(begin: bytes, fault: str) -> None:
    assert find_end(begin[:-1]) == 0
    for seen in (0, len(begin) - 1):
        with pytest.raises(Refused, match=fault):
            find_end(begin, seen)


def test_it_says_the_same_of_a_whole_head_as_of_its_first_bytes() -> None:
    for fields in (b"A: b\nC : d\r\n", b"C : d\r\nA: b\nE: f\r\n"):
        data = head(fields=HOST + fields)
        assert find_end(data) == len(data)
        with pytest.raises(Refused, match="a line must end with CR LF"):
            parse(data)


def test_only_the_new_bytes_are_looked_at_again() -> None:
    data = head()
    for seen in range(len(data)):
        assert find_end(data, seen) == len(data)
    assert find_end(b"A\n" + b"x" * 9, 5) == 0


@pytest.mark.parametrize("filling", [b" ", b"\t", b" x", b":", b"a:\r\n", b"a\r\n", b"a \r\n", b"\x80", b"Host:\r\n"])
def test_no_head_costs_more_than_its_length(filling: bytes) -> None:
    """The fault of a header line was once looked for in quadratic time."""
    for line, last in ((b"GET /x HTTP/1.1", b"x"), (b"GET /x HTTP/1.1", b"\0"), (b"GET /x", b"x")):
        data = head(line, b"x" + filling * ((LONGEST - 100) // len(filling)) + last + b"\r\n")
        began = time.process_time()
        with pytest.raises(Refused):
            parse(data)
        assert time.process_time() - began < 0.1


def test_a_head_over_32_kib_is_refused_whether_it_ends_or_not() -> None:
    for data in (b"GET /" + b"x" * LONGEST, head(fields=HOST + b"A: " + b"x" * LONGEST + b"\r\n")):
        with pytest.raises(Refused) as caught:
            find_end(data)
        assert caught.value.refusal.status == 431


def test_a_sender_says_how_long_its_body_is() -> None:
    counted = parse(head(fields=HOST + b"Content-Length: 12\r\n"))
    assert (counted.length, counted.has_body, counted.keep_alive, counted.minor) == (12, True, True, 1)
    chunked = parse(head(fields=HOST + b"Transfer-Encoding: Chunked\r\n"))
    assert (chunked.length, chunked.has_body) == (None, True)
    empty = parse(head(b"GET /x?a=%41 HTTP/1.1"))
    assert (empty.method, empty.target, empty.length, empty.has_body) == ("GET", "/x?a=%41", 0, False)


def test_a_target_may_hold_any_bytes_above_127() -> None:
    assert parse(head("GET /café HTTP/1.1".encode())).target == "/café"
    assert parse(head(b"GET /\xff HTTP/1.1")).target == "/\udcff"


def test_values_are_latin_1_without_surrounding_blanks_and_the_first_of_repeated_ones_counts() -> None:
    headers = parse(head(fields=HOST + b"A: \t caf\xe9 \r\na: second\r\nB:\r\n")).headers
    assert headers == {"host": "x", "a": "café", "b": ""}


def test_close_ends_keep_alive_and_so_does_http_1_0() -> None:
    assert not parse(head(fields=HOST + b"Connection: keep-alive\r\nConnection: Close\r\n")).keep_alive
    assert not parse(head(b"GET /x HTTP/1.0", b"")).keep_alive


def test_a_wish_to_upgrade_is_ignored() -> None:
    assert parse(head(b"GET /x HTTP/1.1", HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n")).method == "GET"
    assert parse(head(b"CONNECT /x HTTP/1.1")).method == "CONNECT"


def test_a_method_that_nobody_knows_is_still_a_head() -> None:
    assert parse(head(b"BREW /x HTTP/1.1")).length is None


@pytest.mark.parametrize(
    "host", [b"", b"x", b"x:", b"x:80", b"a-b_c.example", b"[::1]:8080", b"127.0.0.1", b"caf%C3%A9"]
)
def test_a_host_is_a_name_or_an_address_and_perhaps_a_port(host: bytes) -> None:
    assert parse(head(fields=b"Host: " + host + b" \r\n")).headers["host"] == host.decode()


def test_expect_is_100_continue_or_nothing() -> None:
    assert parse(head(fields=HOST + b"Expect: 100-Continue\r\nContent-Length: 1\r\n")).expects_continue
    assert not parse(head(b"PUT /x HTTP/1.0", b"Expect: 100-continue\r\nContent-Length: 1\r\n")).expects_continue
    with pytest.raises(Refused) as caught:
        parse(head(fields=HOST + b"Expect: tea\r\n"))
    assert caught.value.refusal.status == 417


def test_an_http_1_0_sender_needs_a_length() -> None:
    with pytest.raises(Refused) as caught:
        parse(head(b"PUT /x HTTP/1.0", b""))
    assert caught.value.refusal.status == 411


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (head(fields=b""), "exactly one Host"),
        (head(fields=HOST + HOST), "exactly one Host"),
        (head(b"GET /x HTTP/1.0", HOST + HOST), "exactly one Host"),
        (
            head(fields=HOST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
            "must be valid, and only one of them given",
        ),
        (
            head(fields=HOST + b"Content-Length: 1\r\nContent-Length: 1\r\n"),
            "must be valid, and only one of them given",
        ),
        (head(fields=HOST + b"Content-Length: 1, 1\r\n"), "must be valid, and only one of them given"),
        (head(fields=HOST + b"Content-Length: +1\r\n"), "must be valid, and only one of them given"),
        (head(fields=HOST + b"Content-Length: " + b"1" * 20 + b"\r\n"), "Content-Length must be one number"),
        (head(fields=HOST + b"Content-Length:\r\n"), "must be valid, and only one of them given"),
        (head(fields=HOST + b"Transfer-Encoding: gzip, chunked\r\n"), "only Transfer-Encoding is chunked"),
        (head(fields=HOST + b"Transfer-Encoding: identity\r\n"), "must be valid, and only one of them given"),
        (
            head(fields=HOST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
            "must be valid, and only one of them given",
        ),
        (head(b"PUT /x HTTP/1.0", HOST + b"Transfer-Encoding: chunked\r\n"), "only Transfer-Encoding is chunked"),
        (head(fields=HOST + b"A : 1\r\n"), "no space is allowed before the colon"),
        (head(fields=HOST + b"A: 1\r\n folded\r\n"), "a folded header line is not allowed"),
        (head(fields=HOST + b"A: 1\rB: 2\r\n"), "a carriage return must be followed"),
        (head(fields=HOST + b"A\x00: 1\r\n"), "control characters are not allowed"),
        (head(fields=HOST + b"A: \x01\r\n"), "control characters are not allowed"),
        (head(fields=HOST + b": 1\r\n"), "a header line is malformed"),
        (head(b"GET /x#y HTTP/1.1"), "the request target must be a path"),
        (head(fields=b"Host: a b\r\n"), "the Host header must name a host"),
        (head(fields=b"Host: a/b\r\n"), "the Host header must name a host"),
        (head(fields=b"Host: u@a\r\n"), "the Host header must name a host"),
        (head(fields=b"Host: a:80:80\r\n"), "the Host header must name a host"),
        (head(fields=b"Host: [::1\r\n"), "the Host header must name a host"),
        (head(b"GET /x HTTP/1.0", b"Host: \xe9\r\n"), "the Host header must name a host"),
        (b"\r\n" + head(b"\r\nGET /x HTTP/1.1"), "only one empty line"),
        (head(fields=HOST + b"nonsense\r\n"), "a header line is malformed"),
        (head(b"GET  /x HTTP/1.1"), "the request line is malformed"),
        (head(b"GET /x"), "the request line is malformed"),
        (head(b"G@T /x HTTP/1.1"), "the request line is malformed"),
        (head(b"GET /x y HTTP/1.1"), "the request line is malformed"),
        (head(b"GET /x HTTP/2.0"), "only HTTP/1.0 and HTTP/1.1"),
        (head(b"GET http://h/x HTTP/1.1"), "the request target must be a path"),
        (head(b"OPTIONS * HTTP/1.1"), "the request target must be a path"),
        (head(b"CONNECT h:80 HTTP/1.1"), "the request target must be a path"),
    ],
)
def test_a_malformed_head_is_refused_with_what_is_wrong(data: bytes, fault: str) -> None:
    with pytest.raises(Refused) as caught:
        parse(data)
    assert caught.value.refusal.status == 400
    assert fault in caught.value.refusal.line
