"""The directory in which the processes of one server share their metrics."""

import contextlib
import os
import shutil
from pathlib import Path

from config import env


def use_shared_directory() -> None:
    """Set PROMETHEUS_MULTIPROC_DIR to a directory for all workers of this parent process.

    Call this before the first import of prometheus_client, which reads the variable only then.
    """
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        return
    root = env.home() / "metrics"
    folder = root / str(os.getppid())
    folder.mkdir(parents=True, exist_ok=True)
    _remove_stale_directories(root)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


def _remove_stale_directories(root: Path) -> None:
    """Remove the directories of servers that no longer run."""
    for folder in root.iterdir():
        if folder.name.isdigit() and not _is_running(int(folder.name)):
            with contextlib.suppress(OSError):
                shutil.rmtree(folder)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
