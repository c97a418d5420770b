"""Where and when a figure was taken."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path


def _first_line(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "none"
    return done.stdout.partition("\n")[0].strip()


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def describe(network: str) -> dict[str, object]:
    """Date, machine, versions and load, as they go into the results."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "curl": " ".join(_first_line("curl", "-q", "--version").split()[:2]),
        "node": _first_line("node", "--version"),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
        "network": network,
    }
