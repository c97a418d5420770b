"""What all tests share, and what becomes of those left out: failures where REQUIRE_ALL=1 asks for everything."""

import os
import secrets
import shutil
from collections import Counter
from collections.abc import Generator

import pytest

STRICT = os.environ.get("REQUIRE_ALL") == "1"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that leaves itself out fails where everything is required."""
    report = yield
    if not hasattr(report, "wasxfail"):
        _require(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """So does a whole module that leaves itself out."""
    report = yield
    _require(report)
    return report


def _require(report: pytest.TestReport | pytest.CollectReport) -> None:
    if STRICT and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} was left out, and REQUIRE_ALL=1: {_reason(report)}"


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each reason why tests were left out."""
    reasons = Counter(_reason(report) for report in terminalreporter.getreports("skipped"))
    for reason, tests in reasons.most_common():
        terminalreporter.write_line(f"left out: {tests} {'test' if tests == 1 else 'tests'}: {reason}", yellow=True)


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    where = report.longrepr
    return (where[2] if isinstance(where, tuple) else str(where)).removeprefix("Skipped: ")


def pytest_configure(config: pytest.Config) -> None:
    """The marks of these tests."""
    config.addinivalue_line("markers", "needs(*programs): leaves itself out where one of these programs is missing")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out what cannot run here."""
    for mark in item.iter_markers("needs"):
        for program in mark.args:
            if shutil.which(program) is None:
                pytest.skip(f"no {program} here")


@pytest.fixture
def name() -> str:
    """A pipe name that nothing else uses."""
    return "t-" + secrets.token_hex(8)
