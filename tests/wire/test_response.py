"""Response heads and framing (RFC 9112, protocol B.6, B.8)."""

from hoody_pipe.wire.response import (
    PAGE_HEADERS,
    PIPE_HEADERS,
    common_fields,
    data_fields,
    event_fields,
    preflight_fields,
    render_head,
    status_fields,
    status_head,
    status_line,
)


def test_a_head_is_a_status_line_and_fields() -> None:
    assert render_head(409, [("A", "b")]) == b"HTTP/1.1 409 Conflict\r\nA: b\r\n\r\n"


def test_a_status_line_is_a_chunk_of_its_own() -> None:
    assert status_line("x" * 25) == b"1a\r\n" + b"x" * 25 + b"\n\r\n"


def test_a_stream_of_status_lines_is_chunked() -> None:
    assert status_head(0, None, True).endswith(b"\r\nTransfer-Encoding: chunked\r\n\r\n")


def test_every_response_has_a_date_and_may_be_read_by_the_asking_page() -> None:
    assert dict(common_fields(784111777, "https://a.example", True)) == {
        "Date": "Sun, 06 Nov 1994 08:49:37 GMT",
        "Cache-Control": "no-store",
        "Access-Control-Allow-Origin": "https://a.example",
        "Access-Control-Allow-Credentials": "true",
        "Vary": "Origin",
    }


def test_without_an_origin_or_with_null_anybody_may_read_but_without_credentials() -> None:
    for origin in (None, "null"):
        fields = dict(common_fields(0, origin, False))
        assert fields["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in fields
        assert fields["Connection"] == "close"


def test_status_lines_are_text_that_no_proxy_holds_back() -> None:
    fields = dict(status_fields(0, None, True))
    assert fields["Content-Type"] == "text/plain; charset=utf-8"
    assert fields["X-Accel-Buffering"] == "no"


def test_data_is_not_sniffed_indexed_or_anonymous() -> None:
    fields = dict(data_fields(0, None, True, "id-1", has_extras=True))
    assert fields["X-Robots-Tag"] == "none"
    assert fields["X-Content-Type-Options"] == "nosniff"
    assert fields["X-Hoody-Pipe-Transfer-Id"] == "id-1"
    assert fields["Access-Control-Expose-Headers"] == "X-Hoody-Pipe-Transfer-Id, X-Piping, X-Hoody-Pipe"
    assert dict(data_fields(0, None, True, "", False))["Access-Control-Expose-Headers"] == "X-Hoody-Pipe-Transfer-Id"


def test_a_preflight_grants_the_private_network_only_when_asked() -> None:
    fields = dict(preflight_fields("GET", PAGE_HEADERS, 60, private_network=False))
    assert fields["Access-Control-Allow-Methods"] == "GET"
    assert fields["Access-Control-Max-Age"] == "60"
    assert "Access-Control-Allow-Private-Network" not in fields
    assert dict(preflight_fields("GET", PIPE_HEADERS, 60, True))["Access-Control-Allow-Private-Network"] == "true"


def test_a_stream_of_events_says_how_it_is_framed() -> None:
    for is_chunked in (True, False):
        fields = dict(event_fields(0, None, is_chunked))
        assert (fields["Content-Type"], fields["X-Accel-Buffering"]) == ("text/event-stream", "no")
        assert ("Transfer-Encoding" in fields) is is_chunked
