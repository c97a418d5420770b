"""The relay that stands beside ours: piping-server, exactly as the lock file says."""

import shlex
import shutil
import subprocess
from pathlib import Path

_ENTRY = "node_modules/piping-server/dist/src/index.js"
_FILES = ("package.json", "package-lock.json")


def install(folder: Path) -> str:
    """Installs it into `folder` unless it is there, and gives the command that starts it."""
    here = Path(__file__).parent
    folder.mkdir(parents=True, exist_ok=True)
    same = all(
        (folder / name).exists() and (folder / name).read_bytes() == (here / name).read_bytes() for name in _FILES
    )
    if not same or not (folder / _ENTRY).exists():
        for name in _FILES:
            shutil.copyfile(here / name, folder / name)
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=True)
    return shlex.join(["node", str(folder / _ENTRY), "--host", "127.0.0.1", "--http-port"]) + " {port}"
