"""Where the running system is, and which keys the park has. Needs nothing but files."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

KEYS = "demo-keys.json"
ROOT = Path(__file__).resolve().parents[2]


def home() -> Path:
    return Path(os.environ.get("BUTLER_HOME") or ROOT / ".butler").expanduser()


def read(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file, or nothing."""
    with suppress(OSError, ValueError):
        return dict(json.loads(path.read_text(encoding="utf-8")))
    return {}


def addresses() -> tuple[str, str]:
    """Return where web and live are: as the environment says, or as `make run` wrote down."""
    services = read(home() / "services.json")
    web, live = os.environ.get("PORT"), os.environ.get("LIVE_PORT")
    return (
        f"http://localhost:{web}" if web else services.get("WEB_URL", "http://localhost:8000"),
        f"http://localhost:{live}" if live else services.get("LIVE_URL", "http://localhost:8001"),
    )
