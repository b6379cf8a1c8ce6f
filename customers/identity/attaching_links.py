"""Reads the links that may attach cards, phones, devices and numbers to records."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from customers import sql
from customers.identity.graph import DESKS, StoredLink
from customers.identity.links import IdentifierLink, IdentifierNode

# The number of links that are read for each identifier, the strongest first.
LINK_LIMIT = 50


class AttachingLink(NamedTuple):
    """A link that may attach an identifier to its other end."""

    identifier: int
    link: StoredLink
    other: IdentifierNode
    customer_id: UUID | None

    @property
    def as_link(self) -> IdentifierLink:
        return self.link.link(is_current=True)


def read_attaching_links(ids: Iterable[int]) -> list[AttachingLink]:
    """Return the strongest of these links for each identifier, with their other ends."""
    params = {"ids": sorted(ids), "limit": LINK_LIMIT, "desk_channels": DESKS}
    return [
        AttachingLink(id_, StoredLink(*columns[:10]), IdentifierNode(*columns[10:19]), columns[19])
        for id_, *columns in sql.rows("read_attaching_links", params)
    ]
