"""PostgreSQL and Valkey of its own for a run of pytest whose environment names none."""

import atexit
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
# Prints its environment, then waits until the run that started it is over, however it ends.
_WAIT = "import json, os, sys; print(json.dumps(dict(os.environ)), flush=True); sys.stdin.read()"


def start() -> None:
    """Set DATABASE_URL, REDIS_URL and BUTLER_HOME where they are missing.

    `make test` sets them itself, and developers can name their own server. The processes of a
    parallel run inherit them from the first one.
    """
    is_database_named = os.environ.get("DATABASE_URL") or os.environ.get("DATABASE_URL_FILE")
    if is_database_named or os.environ.get("BUTLER_CHECK"):
        return
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "deploy.local", "with-services", "--temporary", "--"),
            *(sys.executable, "-c", _WAIT),
        ],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # Ctrl-C ends the tests first, and the services with them.
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    environment = process.stdout.readline()
    if not environment:
        raise RuntimeError("the services of the tests did not start; `make doctor` says why")
    os.environ.update(json.loads(environment))
    process.stdout.close()
    atexit.register(_stop, process)


def _stop(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    process.wait()
