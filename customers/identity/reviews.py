"""Asks people to decide where the rules of grouping do not, each question once."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from customers import sql
from customers.identity.grouping import RefusedLink
from customers.types import VERIFIED


def request_for_refused_links(
    refused_links: Sequence[RefusedLink], targets: Mapping[int, UUID | None]
) -> None:
    """Ask about the records that the limits kept apart, once per pair.

    targets: the live record of each identifier
    """
    reviews = []
    for refused in refused_links:
        link = refused.link
        first, second = targets[link.first], targets[link.second]
        # Claims are cheap to make, and nobody could say more of them than we know.
        if first and second and first != second and link.evidence == VERIFIED:
            kind = "suggested_merge" if refused.reason == "limit:user_id" else "identifier_limit"
            first, second = sorted((first, second))
            details = {"left": link.first, "right": link.second, "reason": refused.reason}
            reviews.append({"kind": kind, "first": first, "second": second, "details": details})
    _insert(reviews)


def request_for_component(oldest: UUID, evidence: int) -> None:
    """Tell a person, once, that more identifiers hang together than are regrouped."""
    details = {"reason": "heap", "trust": evidence}
    _insert([{"kind": "identifier_limit", "first": oldest, "second": None, "details": details}])


def _insert(reviews: Sequence[Mapping[str, object]]) -> None:
    if reviews:
        sql.run("insert_reviews", {"reviews": sql.json(reviews)})
