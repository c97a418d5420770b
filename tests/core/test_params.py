"""Flags, counts and seconds in a query (protocol A.5, B.4, F.1)."""

from urllib.parse import quote

import pytest

from hoody_pipe.core import messages
from hoody_pipe.core.params import EMPTY, Params
from hoody_pipe.errors import Refused


@pytest.mark.parametrize("query", ["f", "f=", "f=true", "f=YES", "f=1", "f=1&f=0"])
def test_a_flag_is_on_when_bare_empty_or_affirmed(query: str) -> None:
    assert Params.parse(query).has("f")
    assert not Params.parse(query).is_off("f")


@pytest.mark.parametrize("query", ["f=false", "f=No", "f=0"])
def test_a_flag_can_be_explicitly_off(query: str) -> None:
    assert Params.parse(query).is_off("f")
    assert not Params.parse(query).has("f")


@pytest.mark.parametrize("query", ["", "f=maybe", "f=on", "f=10", "f=%20"])
def test_an_absent_flag_is_neither_and_so_is_one_with_another_value(query: str) -> None:
    assert not Params.parse(query).has("f")
    assert not Params.parse(query).is_off("f")


@pytest.mark.parametrize("raw", [b"\xff", "é".encode(), b"a\xc3"])
def test_bytes_that_came_as_they_are_mean_the_same_as_their_escapes(raw: bytes) -> None:
    """A head is decoded with surrogates for what is no UTF-8; none may get into a response."""
    value = Params.parse("filename=" + raw.decode("utf-8", "surrogateescape"))["filename"]
    assert value == Params.parse("filename=" + quote(raw))["filename"] == raw.decode("utf-8", "replace")


@pytest.mark.parametrize(("query", "n"), [("", 1), ("n=1", 1), ("n=256", 256), ("n=007", 7)])
def test_n_counts_receivers(query: str, n: int) -> None:
    assert Params.parse(query).receivers(256) == n


@pytest.mark.parametrize("query", ["n", "n=", "n=0", "n=257", "n=-1", "n=1.5", "n=a", "n=٣", "n=" + "9" * 40])
def test_a_bad_n_is_refused(query: str) -> None:
    with pytest.raises(Refused, match='"n" must be a positive integer'):
        Params.parse(query).receivers(256)


@pytest.mark.parametrize(("query", "wait"), [("", 300), ("wait=1", 1), ("wait=3600", 3600)])
def test_wait_is_in_seconds(query: str, wait: float) -> None:
    assert Params.parse(query).wait(300, 3600) == wait


@pytest.mark.parametrize("query", ["wait", "wait=", "wait=1.5", "wait=x", "wait=" + "9" * 40])
def test_a_wait_that_is_no_integer_is_refused(query: str) -> None:
    with pytest.raises(Refused) as caught:
        Params.parse(query).wait(300, 3600)
    assert caught.value.refusal.line == messages.INVALID_WAIT.format(longest=3600)


@pytest.mark.parametrize("got", [0, -5, 3601, 7200])
def test_a_wait_out_of_range_is_refused_with_what_was_got(got: int) -> None:
    with pytest.raises(Refused, match=rf"\(1-3600 seconds, got {got}\)"):
        Params.parse(f"wait={got}").wait(300, 3600)


def test_require_says_how_many_receivers_make_a_success() -> None:
    assert Params.parse("require=any").require_any()
    assert not Params.parse("require=all").require_any()
    assert not Params().require_any()
    with pytest.raises(Refused, match="require"):
        Params.parse("require=most").require_any()


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("0", 0),
        ("4096", 4096),
        ("4096B", 4096),
        ("200G", 200 * 1000**3),
        ("1.5T", 1500 * 1000**3),
        ("10GiB", 10 * 1024**3),
        ("2ki", 2048),
        ("3KB", 3000),
    ],
)
def test_a_size_is_a_number_of_bytes_with_or_without_a_unit(value: str, size: int) -> None:
    assert Params.parse("size=" + value).size() == size


@pytest.mark.parametrize("value", ["", "x", "-1", "1.", ".5", "1 G", "1Gb2", "5i", "1e3", "٣"])
def test_another_size_is_refused(value: str) -> None:
    with pytest.raises(Refused, match='Invalid size — "size" must be a number of bytes'):
        Params.parse("size=" + value).size()


def test_a_sender_may_say_nothing_of_its_size_and_id() -> None:
    assert EMPTY.size() is None
    assert EMPTY.transfer("refused") is None


@pytest.mark.parametrize("value", ["", "x" * 15, "x" * 65, "x" * 15 + ".", "x" * 16 + "\n"])
def test_an_id_is_16_to_64_safe_characters(value: str) -> None:
    with pytest.raises(Refused, match="this is why"):
        Params({"transfer": value}).transfer("this is why")
    assert Params.parse("transfer=Az09_-Az09_-Az09").transfer("refused") == "Az09_-Az09_-Az09"
