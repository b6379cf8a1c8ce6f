"""Finds the live record that a page is about."""

from uuid import UUID

from django.http import Http404

from customers.queries import lists


def find_live_id(customer_id: UUID) -> UUID:
    """Return the id of the live record that an id leads to. Raises Http404."""
    live_id = lists.live_id(customer_id)
    if live_id is None:
        raise Http404
    return live_id
