"""Reads the current consent state of a customer."""

from uuid import UUID

import msgspec

from customers.consent.state import State
from customers.models import ConsentState


def read_state(customer_id: UUID) -> State:
    """Return the consent state of a live record; an empty state if there are no statements."""
    state = ConsentState.objects.filter(pk=customer_id).values_list("state", flat=True).first()
    return msgspec.convert(state, State) if state else State()
