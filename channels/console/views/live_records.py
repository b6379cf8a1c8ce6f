"""Finds the live record that a page is about, and the name of its customer."""

from uuid import UUID

from django.http import Http404
from django.utils import timezone

from customers.identity.search import describe
from customers.queries import lists


def find_live_id(customer_id: UUID) -> UUID:
    """Return the id of the live record that an id leads to. Raises Http404."""
    live_id = lists.live_id(customer_id)
    if live_id is None:
        raise Http404
    return live_id


def customer_name(live_id: UUID) -> str:
    """Return the name of the customer of a live record; empty if it has none or is erased."""
    matches = describe([live_id], today=timezone.localdate())
    return matches[0].name if matches else ""
