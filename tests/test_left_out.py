"""What becomes of tests that leave themselves out."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

SKIPPING = """
import pytest

@pytest.mark.skip(reason="no database here")
def test_with_a_mark(): pass

def test_by_itself(): pytest.skip("no database here")

@pytest.mark.xfail(strict=True)
def test_known_to_fail(): assert False
"""
MODULE = 'import pytest\npytest.skip("no compiler here", allow_module_level=True)'


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A directory of tests that leave themselves out."""
    pytester.makeconftest((Path(__file__).parent / "conftest.py").read_text())
    pytester.makepyfile(test_some=SKIPPING, test_module=MODULE)
    return pytester


def test_the_last_lines_say_how_many_tests_were_left_out_and_why(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each reason stands once."""
    monkeypatch.delenv("REQUIRE_ALL", raising=False)
    result = project.runpytest_inprocess()
    result.assert_outcomes(skipped=3, xfailed=1)
    assert result.outlines[-3:-1] == [
        "left out: 2 tests: no database here",
        "left out: 1 test: no compiler here",
    ]


def test_a_test_left_out_is_a_failure_where_everything_is_required(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that its mark leaves out fails in its setup, and a module before its tests are counted."""
    monkeypatch.setenv("REQUIRE_ALL", "1")
    project.runpytest_inprocess("test_some.py").assert_outcomes(failed=1, errors=1, xfailed=1)
    project.runpytest_inprocess("test_module.py").assert_outcomes(errors=1)
