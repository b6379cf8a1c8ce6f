"""Cuts a context down to what is read of it, so that what waits to be said stays small. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def excerpt(context: Mapping[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    """Return the values at these paths, where they were; a list is kept as a whole."""
    found: dict[str, Any] = {}
    for path in paths:
        _copy(path.split("."), context, found)
    return found


def _copy(names: Sequence[str], source: Mapping[str, Any], into: dict[str, Any]) -> None:
    name, *rest = names
    if name not in source:
        return
    value = source[name]
    if not rest or not isinstance(value, Mapping):
        into[name] = value
    # Kept whole already, where another path asked for all of it.
    elif into.get(name) is not value:
        _copy(rest, value, into.setdefault(name, {}))
