"""Lists the files of the project: the tracked files, or all files of an unpacked archive."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APPS = ("butler", "channels", "customers")
BUILT = {".venv", ".git", ".butler", "node_modules", "_build", "__pycache__"}


@cache
def files(pattern: str = "*") -> tuple[Path, ...]:
    """Return the paths, relative to the project, whose names match."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listing.returncode == 0:
        paths = (Path(name) for name in listing.stdout.split("\0") if name)
    else:
        paths = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return tuple(
        sorted(
            path
            for path in paths
            if path.match(pattern) and not BUILT & set(path.parts) and (ROOT / path).is_file()
        )
    )
