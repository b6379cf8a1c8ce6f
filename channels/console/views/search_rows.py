"""Finds customers by free text, for the search of the console and the search of a merge."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from butler.decisions import inputs
from channels.console.presenters import labels
from channels.console.views import audit
from customers.identity.search import CustomerMatch, search


class SearchRow(NamedTuple):
    """A customer in the result of a search."""

    match: CustomerMatch
    # By what the search found the customer, such as "by name".
    match_kind: str
    # The addresses, if another customer of the result has the same name and the role may see them.
    addresses: str


def find_rows(request: HttpRequest, text: str, *, without: UUID | None = None) -> list[SearchRow]:
    """Return the customers that the text finds, and log the access to each of them.

    without: a record that is not a result
    """
    sees_addresses = request.user.has_perm("customers.view_identifier")
    matches = [
        match
        for match in search(
            text,
            region=settings.BUTLER_COUNTRY,
            today=timezone.localdate(),
            sees_addresses=sees_addresses,
        )
        if match.id != without
    ]
    audit.log_console_access(request, [match.id for match in matches], part="search")
    addresses = _distinguishing_addresses(matches, timezone.now()) if sees_addresses else {}
    return [
        SearchRow(
            match,
            labels.MATCH_KINDS.get(match.found_by, match.found_by),
            addresses.get(match.id, ""),
        )
        for match in matches
    ]


def _distinguishing_addresses(matches: Sequence[CustomerMatch], now: datetime) -> dict[UUID, str]:
    """Return the addresses of customers who share a name with another match."""
    counts = Counter(match.name.casefold() for match in matches)
    customer_ids = [match.id for match in matches if counts[match.name.casefold()] > 1]
    return {
        customer_id: ", ".join(
            dict.fromkeys(address.value for address in (facts.addresses or {}).values())
        )
        for customer_id, facts in inputs.read_facts(customer_ids, now=now).items()
    }
