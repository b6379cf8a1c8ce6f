"""Reads the links by which cards, phones, devices and numbers may hang on records."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from customers import sql
from customers.identity.graph import DESKS, StoredLink
from customers.identity.links import IdentifierLink, IdentifierNode

# The number of links that are read for each identifier, the strongest first.
HOLDER_LIMIT = 50


class Holder(NamedTuple):
    """A link by which an identifier may hang, and its other end."""

    identifier: int
    link: StoredLink
    other: IdentifierNode
    customer_id: UUID | None

    @property
    def as_link(self) -> IdentifierLink:
        return self.link.link(is_current=True)


def read_holders(ids: Iterable[int]) -> list[Holder]:
    """Return the strongest of these links for each identifier, with their other ends."""
    params = {"ids": sorted(ids), "limit": HOLDER_LIMIT, "desk_channels": DESKS}
    return [
        Holder(id_, StoredLink(*columns[:10]), IdentifierNode(*columns[10:19]), columns[19])
        for id_, *columns in sql.rows("read_holders", params)
    ]
