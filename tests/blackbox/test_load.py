"""A short run of scripts/load: many wait, many run, every byte is compared, nothing is left behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "load"


def test_many_wait_while_many_run_and_every_byte_arrives() -> None:
    if os.environ.get("HOODY_URL"):
        pytest.skip("HOODY_URL is given, this test needs a server of its own")
    options = ["--waiting", "2000", "--transfers", "200", "--size", "1000000"]
    done = subprocess.run([sys.executable, SCRIPT, *options], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 bytes were lost" in done.stdout
