"""Short runs of scripts/load, soak and hostile: what the README claims of long ones is checked each time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


# Z.7, Z.10: many at once, and one for long


def run(script: str, *options: str) -> str:
    """What it prints; it must be content."""
    if os.environ.get("HOODY_URL"):
        pytest.skip("HOODY_URL is given, this test needs a server of its own")
    command = [sys.executable, str(SCRIPTS / script), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_many_wait_while_many_run_and_every_byte_arrives() -> None:
    assert "0 bytes were lost" in run("load", "--waiting", "2000", "--transfers", "200", "--size", "1000000")


def test_bad_inputs_break_nothing_and_leave_nothing_behind() -> None:
    assert "crashes 0, hangs 0" in run("hostile", "--inputs", "5000")


@pytest.mark.parametrize("framing", [(), ("--chunked",)], ids=["counted", "chunked"])
def test_a_long_stream_has_one_digest_and_leaves_memory_and_disk_alone(framing: tuple[str, ...]) -> None:
    assert " equal | " in run("soak", "1.5", *framing)
