"""The addresses of the running system and the keys of the park, read from files only."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

KEYS = "demo-keys.json"
ROOT = Path(__file__).resolve().parents[2]


def home() -> Path:
    """Return the folder of the running system: BUTLER_HOME, or `.butler` in the project."""
    return Path(os.environ.get("BUTLER_HOME") or ROOT / ".butler").expanduser()


def read(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file, or an empty dict."""
    with suppress(OSError, ValueError):
        return dict(json.loads(path.read_text(encoding="utf-8")))
    return {}


def addresses() -> tuple[str, str]:
    """Return the URLs of web and live, from the environment or from the file of `make run`."""
    services = read(home() / "services.json")
    web, live = os.environ.get("PORT"), os.environ.get("LIVE_PORT")
    return (
        f"http://localhost:{web}" if web else services.get("WEB_URL", "http://localhost:8000"),
        f"http://localhost:{live}" if live else services.get("LIVE_URL", "http://localhost:8001"),
    )
