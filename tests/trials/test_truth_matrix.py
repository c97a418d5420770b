"""The truth matrix that the README shows, its direct route (protocol Z.2)."""

import subprocess
import sys
from pathlib import Path


def test_no_curl_lies_whatever_breaks_and_nothing_sticks_or_hangs() -> None:
    """All failures with all framings; `scripts/truth` runs the routes through proxies too."""
    root = Path(__file__).parents[2]
    command = [sys.executable, str(root / "scripts" / "truth"), "--only", "^direct$"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| ours | direct | 37 | 36 | 0 | 0 | 0 | 1 |" in done.stdout
