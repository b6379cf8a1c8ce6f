"""Copies only the values of a context that a message reads, so that its row stays small. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def excerpt(context: Mapping[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    """Return the values at these paths, under the same paths; a list is copied as a whole."""
    copy: dict[str, Any] = {}
    for path in paths:
        _copy(path.split("."), context, copy)
    return copy


def _copy(names: Sequence[str], source: Mapping[str, Any], target: dict[str, Any]) -> None:
    name, *rest = names
    if name not in source:
        return
    value = source[name]
    if not rest or not isinstance(value, Mapping):
        target[name] = value
    # Another path may have copied the whole value already.
    elif target.get(name) is not value:
        _copy(rest, value, target.setdefault(name, {}))
