"""Versions of automations, decoded and cached.

The document of a version never changes, so a process decodes each document once. The status can
change, so it is read from the row at each use.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from butler import sql
from butler.document import AutomationDocument

_decode = msgspec.json.Decoder(AutomationDocument).decode


class LoadedVersion(NamedTuple):
    """A version with its decoded document."""

    id: int
    automation_id: str
    document: AutomationDocument


_cache: dict[int, LoadedVersion] = {}


def read(ids: Iterable[int]) -> dict[int, LoadedVersion]:
    """Return the versions with these ids; versions with an invalid document are left out."""
    version_ids = set(ids)
    if missing_ids := version_ids - _cache.keys():
        for row in sql.rows("read_versions", {"ids": sorted(missing_ids)}):
            decode(*row)
    return {id_: _cache[id_] for id_ in version_ids if id_ in _cache}


def document_of(version_id: int) -> AutomationDocument:
    """Return the document of a version; raise KeyError if the document is invalid."""
    return read([version_id])[version_id].document


def decode(version_id: int, automation_id: str, document: Any) -> LoadedVersion | None:
    """Return the version of a row, from the cache if possible; None for an invalid document."""
    if version_id not in _cache:
        try:
            _cache[version_id] = LoadedVersion(version_id, automation_id, _decode(document))
        except msgspec.ValidationError:
            return None
    return _cache[version_id]
