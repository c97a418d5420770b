"""What fuzzing begins with and what it has found keeps its promises."""

import pytest

from fuzz.seeds import SEEDS
from fuzz.targets import TARGETS, kept


@pytest.mark.parametrize("target", TARGETS)
def test_every_kept_input_holds(target: str) -> None:
    """Without a fuzzer, on every Python."""
    inputs = kept(target)
    assert len(inputs) > len(SEEDS[target]) > 10
    for data in inputs:
        try:
            TARGETS[target](data)
        except Exception as error:
            raise AssertionError(f"{data!r}: {error!r}") from error
