"""Versions of automations as they are read by whoever acts on them.

What a version says never changes, so a process reads each one once; whether it is live is
asked of the row at every use.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from butler import sql
from butler.document import Document

_decode = msgspec.json.Decoder(Document).decode


class Version(NamedTuple):
    id: int
    automation_id: str
    document: Document


_known: dict[int, Version] = {}


def read(ids: Iterable[int]) -> dict[int, Version]:
    """Return the versions with these ids; one whose document nobody can read is left out."""
    wanted = set(ids)
    if missing := wanted - _known.keys():
        for row in sql.rows("read_versions", {"ids": sorted(missing)}):
            keep(*row)
    return {id_: _known[id_] for id_ in wanted if id_ in _known}


def keep(id_: int, automation_id: str, document: Any) -> Version | None:
    """Decode a version once; None where its document is none of ours."""
    if id_ not in _known:
        try:
            _known[id_] = Version(id_, automation_id, _decode(document))
        except msgspec.ValidationError:
            return None
    return _known[id_]
