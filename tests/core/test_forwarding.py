"""What passes from a sender to its receivers (protocol B.6, C.3)."""

import pytest

from hoody_pipe.core.forwarding import Forwarded, render_disposition, safe_filename, safe_type
from hoody_pipe.core.limits import Limits
from hoody_pipe.core.params import Params

LIMITS = Limits()


def disposition(headers: dict[str, str], query: str, name: str = "/a/b.bin") -> str | None:
    fields = dict(Forwarded.of(headers, LIMITS).fields_for(Params.parse(query), name))
    return fields.get("Content-Disposition")


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        (None, "application/octet-stream"),
        ("", "application/octet-stream"),
        ("nonsense", "application/octet-stream"),
        ("text/html", "text/plain"),
        ("TEXT/HTML; charset=UTF-8", "text/plain; charset=utf-8"),
        ("image/svg+xml", "text/plain"),
        ("application/rss+xml", "text/plain"),
        ("application/xhtml+xml", "text/plain"),
        ("text/xml", "text/plain"),
        ("application/xml", "text/plain"),
        ("text/csv; charset=US-ASCII", "text/csv; charset=us-ascii"),
        ("image/png; name=x", "image/png"),
        ('text/csv; header=present; charset="iso-8859-1"', "text/csv; charset=iso-8859-1"),
        ("text/csv; charset=utf-7", "text/csv"),
    ],
)
def test_a_type_that_a_browser_would_run_is_sent_as_text(sent: str | None, seen: str) -> None:
    assert safe_type(sent) == seen


@pytest.mark.parametrize(
    "essence",
    [
        *[f"{kind}/{name}" for kind in ("application", "text") for name in ("ecmascript", "javascript")],
        *[f"{kind}/x-{name}" for kind in ("application", "text") for name in ("ecmascript", "javascript")],
        *[f"text/javascript1.{number}" for number in range(6)],
        "text/jscript",
        "text/livescript",
    ],
)
def test_every_type_of_a_script_is_sent_as_text(essence: str) -> None:
    """The JavaScript MIME type essence matches of the WHATWG."""
    assert safe_type(essence) == safe_type(essence.upper()) == "text/plain"


@pytest.mark.parametrize(
    ("value", "length"), [("5", 5), ("0", 0), ("9" * 19, 10**19 - 1), ("x", None), ("1" * 20, None), (None, None)]
)
def test_a_length_is_forwarded_only_if_it_is_one(value: str | None, length: int | None) -> None:
    headers = {} if value is None else {"content-length": value}
    assert Forwarded.of(headers, LIMITS).length == length


def test_extra_headers_pass_without_control_characters_and_not_when_too_long() -> None:
    forwarded = Forwarded.of({"x-piping": "a\x01\x7fb", "x-hoody-pipe": "y" * 8193}, LIMITS)
    assert forwarded.extras == (("X-Piping", "ab"),)
    longest = {"x-piping": "", "x-hoody-pipe": "y" * 8192}
    assert Forwarded.of(longest, LIMITS).extras == (("X-Piping", ""), ("X-Hoody-Pipe", "y" * 8192))


def test_bytes_above_127_pass_as_they_are_for_they_may_be_utf_8() -> None:
    quoted = "\u201cł\u201d".encode().decode("latin-1")
    assert Forwarded.of({"x-piping": quoted}, LIMITS).extras == (("X-Piping", quoted),)


@pytest.mark.parametrize(
    ("sent", "query", "seen"),
    [
        (None, "", None),
        ('attachment; filename="r.txt"', "", 'attachment; filename="r.txt"'),
        ("inline", "", "attachment"),
        (None, "download", 'attachment; filename="b.bin"'),
        ('attachment; filename="r.txt"', "download=1", 'attachment; filename="r.txt"'),
        ('attachment; filename="r.txt"', "download=0", None),
        (None, "download=no&filename=x", None),
        (None, "filename=x.pdf", 'attachment; filename="x.pdf"'),
        (None, "filename=..%2F..%2Fetc%00", 'attachment; filename="etc"'),
        (None, "filename=/", "attachment"),
        (None, "filename", "attachment"),
        ('attachment; filename="r.txt"', "filename=x.pdf", 'attachment; filename="x.pdf"'),
        ('inline; filename="r.txt"', "download=whatever", 'attachment; filename="r.txt"'),
        ('attachment; filename="/"', "download", 'attachment; filename="b.bin"'),
        ("inline", "download", 'attachment; filename="b.bin"'),
        ('form-data; name="x"; filename="r.txt"', "", 'attachment; filename="r.txt"'),
        ("attachment; filename=plain.txt", "", 'attachment; filename="plain.txt"'),
        ('attachment; filename="a\\"b"', "", 'attachment; filename="a\\"b"'),
        ("attachment; filename*=UTF-8''caf%C3%A9", "", "attachment; filename=\"caf_\"; filename*=UTF-8''caf%C3%A9"),
        ('attachment; filename="caf\xc3\xa9"', "", "attachment; filename=\"caf_\"; filename*=UTF-8''caf%C3%A9"),
        ('attachment; filename="caf\xe9"', "", "attachment; filename=\"caf_\"; filename*=UTF-8''caf%C3%A9"),
        ('attachment; filename="\xc5\x82"', "", "attachment; filename=\"_\"; filename*=UTF-8''%C5%82"),
        (None, "filename=%C2%80x", 'attachment; filename="x"'),
        (None, "filename=%FF", "attachment; filename=\"_\"; filename*=UTF-8''%EF%BF%BD"),
        (None, "filename=\udcff", "attachment; filename=\"_\"; filename*=UTF-8''%EF%BF%BD"),
    ],
)
def test_each_receiver_gets_the_disposition_it_asked_for(sent: str | None, query: str, seen: str | None) -> None:
    headers = {} if sent is None else {"content-disposition": sent}
    assert disposition(headers, query) == seen


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("/a/b.txt", 'attachment; filename="b.txt"'),
        ("/a%20b", 'attachment; filename="a b"'),
        ("/caf%C3%A9", "attachment; filename=\"caf_\"; filename*=UTF-8''caf%C3%A9"),
        ("/a/", "attachment"),
    ],
)
def test_download_names_a_file_after_the_last_segment_of_the_pipe(name: str, seen: str) -> None:
    assert disposition({}, "download", name) == seen


@pytest.mark.parametrize(
    "content_type", ["image/png", "audio/ogg", "video/mp4", "text/plain; charset=utf-8", "application/pdf"]
)
def test_inline_stays_for_types_that_only_show(content_type: str) -> None:
    sent = {"content-disposition": 'Inline; filename="a"', "content-type": content_type}
    assert disposition(sent, "") == 'inline; filename="a"'


def test_inline_is_judged_by_the_type_that_the_receiver_sees() -> None:
    assert disposition({"content-disposition": "inline", "content-type": "image/svg+xml"}, "") == "inline"
    assert disposition({"content-disposition": "inline", "content-type": "application/zip"}, "") == "attachment"


def test_a_file_name_is_cut_and_stays_in_its_folder() -> None:
    assert safe_filename("..a/b\\c\r\n") == "abc"
    for length, kept in [(255, 255), (256, 255)]:
        assert disposition({}, "filename=" + "x" * length) == f'attachment; filename="{"x" * kept}"'
    assert render_disposition("attachment", "") == "attachment"


def test_a_part_of_a_form_says_what_the_stream_is_and_the_request_what_goes_with_it() -> None:
    headers = {"content-type": "multipart/form-data", "content-length": "9", "x-piping": "a"}
    whole = Forwarded.of(headers, LIMITS, is_form=True)
    part = whole.of_part({"content-type": "text/html", "content-disposition": 'form-data; name="f"; filename="a.txt"'})
    assert part == Forwarded("text/plain", None, ("attachment", "a.txt"), (("X-Piping", "a"),), 255)
    assert whole.of_part({}) == Forwarded("application/octet-stream", None, None, (("X-Piping", "a"),), 255)
