"""The butler's statements, one a file."""

from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent


@cache
def load(name: str) -> str:
    """Return the statement of that name, read once."""
    return (_FOLDER / f"{name}.sql").read_text()
