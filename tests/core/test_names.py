"""What a path means (protocol A.1 to A.4, Z.1)."""

import pytest

from hoody_pipe.core.names import Place, last_segment, resolve
from hoody_pipe.errors import Refused


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/v1/pipe/x", "/x"),
        ("/x", "/x"),
        ("/api/v1/pipe/api/v1/pipe/x", "/api/v1/pipe/x"),
        ("/api/v1/pipeline", "/api/v1/pipeline"),
        ("/caf%c3%a9", "/caf%C3%A9"),
        ("/%41", "/%41"),
        ("//x", "//x"),
        ("/x/", "/x/"),
        ("/api/v1/pipe//help", "//help"),
        ("/metrics..", "/metrics.."),
        ("/help//", "/help//"),
        ("//help", "//help"),
        ("/api/v1/pipe/api/v1/pipe", "/api/v1/pipe"),
        ("/API/v1/pipe/x", "/API/v1/pipe/x"),
        ("/openapi.json", "/openapi.json"),
        ("/help/.x", "/help/.x"),
        ("/healthy", "/healthy"),
        ("/café", "/café"),
    ],
)
def test_a_path_names_a_pipe(path: str, name: str) -> None:
    assert resolve(path) == Place(name)


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/", "/"),
        ("/api/v1/pipe", "/"),
        ("/api/v1/pipe/", "/"),
        ("/Help/", "/help"),
        ("/noscript.", "/noscript"),
        ("/help./", "/help"),
        ("/help%2e", "/help"),
        ("/%68elp", "/help"),
        ("/api/v1/pipe/OpenAPI.json/", "/openapi.json"),
        ("/favicon.ico", "/favicon.ico"),
        ("/api/v1/pipe/health", "/health"),
        ("/api/v1/pipe/METRICS", "/metrics"),
    ],
)
def test_a_reserved_name_is_a_page_in_any_case_and_with_one_trailing_mark(path: str, page: str) -> None:
    assert resolve(path) == Place(page, reserved=True)


def test_help_followed_by_a_dot_segment_is_refused_as_a_path_not_taken_for_the_page() -> None:
    with pytest.raises(Refused, match="segments"):
        resolve("/help/.")


@pytest.mark.parametrize(
    ("path", "status", "line"),
    [
        ("/" + "x" * 1025, 414, "[ERROR] Path too long (max 1024 characters)."),
        ("/health", 404, "[ERROR] '/health' is not a valid path. Use '/api/v1/pipe/health'."),
        ("/Health/", 404, "[ERROR] '/health' is not a valid path. Use '/api/v1/pipe/health'."),
        ("/metrics.", 404, "[ERROR] '/metrics' is not a valid path. Use '/api/v1/pipe/metrics'."),
        ("/a%", 400, "[ERROR] Invalid path — a percent sign must be followed by two hex digits."),
        ("/a%4g", 400, "[ERROR] Invalid path — a percent sign must be followed by two hex digits."),
        ("/a%2Fb", 400, "[ERROR] Invalid path — an encoded slash is not allowed."),
        ("/a%5cb", 400, "[ERROR] Invalid path — a backslash is not allowed."),
        ("/help\\", 400, "[ERROR] Invalid path — a backslash is not allowed."),
        ("/help%00", 400, "[ERROR] Invalid path — control characters are not allowed."),
        ("/help%2F", 400, "[ERROR] Invalid path — an encoded slash is not allowed."),
        ("/a\\b", 400, "[ERROR] Invalid path — a backslash is not allowed."),
        ("/a%00", 400, "[ERROR] Invalid path — control characters are not allowed."),
        ("/a%7f", 400, "[ERROR] Invalid path — control characters are not allowed."),
        ("/a/../b", 400, "[ERROR] Invalid path — '.' and '..' segments are not allowed."),
        ("/%2e%2E/b", 400, "[ERROR] Invalid path — '.' and '..' segments are not allowed."),
        ("///", 400, "[ERROR] Invalid path — the name is empty."),
    ],
)
def test_a_bad_path_is_refused_with_one_line(path: str, status: int, line: str) -> None:
    with pytest.raises(Refused) as caught:
        resolve(path)
    assert (caught.value.refusal.status, caught.value.refusal.line) == (status, line)


def test_the_longest_name_counts_neither_the_prefix_nor_the_leading_slash() -> None:
    for name in ("/" + "x" * 1024, "/" + "%41" * 341 + "x"):
        assert resolve("/api/v1/pipe" + name) == resolve(name) == Place(name)
        with pytest.raises(Refused, match="Path too long"):
            resolve("/api/v1/pipe" + name + "x")


@pytest.mark.parametrize(("name", "last"), [("/a/b.txt", "b.txt"), ("/caf%C3%A9", "café"), ("/a/", "")])
def test_the_last_segment_is_decoded_for_people(name: str, last: str) -> None:
    assert last_segment(name) == last
