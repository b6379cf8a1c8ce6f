"""Creates reviews for staff if the grouping rules cannot decide. Each review exists once."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from customers import sql
from customers.identity.grouping import RefusedLink
from customers.types import VERIFIED


def request_for_refused_links(
    refused_links: Sequence[RefusedLink], targets: Mapping[int, UUID | None]
) -> None:
    """Create a review for each pair of records that a limit kept apart.

    targets: the live record of each identifier
    """
    reviews = []
    for refused in refused_links:
        link = refused.link
        first, second = targets[link.first], targets[link.second]
        # Claimed links make no reviews: every browser can send claims, and staff cannot check them.
        if first and second and first != second and link.evidence == VERIFIED:
            kind = "suggested_merge" if refused.reason == "limit:user_id" else "identifier_limit"
            first, second = sorted((first, second))
            details = {"left": link.first, "right": link.second, "reason": refused.reason}
            reviews.append({"kind": kind, "first": first, "second": second, "details": details})
    _insert(reviews)


def request_for_component(oldest: UUID, evidence: int) -> None:
    """Create one review for a component with more identifiers than Butler regroups."""
    details = {"reason": "heap", "trust": evidence}
    _insert([{"kind": "identifier_limit", "first": oldest, "second": None, "details": details}])


def _insert(reviews: Sequence[Mapping[str, object]]) -> None:
    if reviews:
        sql.run("insert_reviews", {"reviews": sql.json(reviews)})
