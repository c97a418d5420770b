"""The inputs that fuzzing has found keep their promises."""

import pytest

from fuzz.targets import CORPUS, TARGETS


@pytest.mark.parametrize("target", TARGETS)
def test_every_kept_input_holds(target: str) -> None:
    """Without a fuzzer, on every Python."""
    inputs = sorted((CORPUS / target).iterdir())
    assert len(inputs) > 20
    for path in inputs:
        try:
            TARGETS[target](path.read_bytes())
        except Exception as error:
            raise AssertionError(f"{path}: {error!r}") from error
