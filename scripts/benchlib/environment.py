"""The project's own virtual environment, for scripts that a person starts with any Python."""

import os
import subprocess
import sys
from pathlib import Path


def enter(root: Path) -> None:
    """Go on in the virtual environment of the checkout `root`, which is made first if there is none."""
    place = root / ".venv"
    if Path(sys.prefix).resolve() == place.resolve():
        return
    if not (place / "bin" / "hoody-pipe").exists():
        subprocess.run([root / "scripts" / "venv", "requirements.lock"], check=True)
    python = str(place / "bin" / "python")
    os.execv(python, [python, *sys.argv])
