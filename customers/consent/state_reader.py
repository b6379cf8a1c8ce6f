"""Reads the current consent state of a customer, or of the part that a session opens."""

from uuid import UUID

import msgspec

from customers.consent.folding import fold
from customers.consent.ledger import read_ledgers
from customers.consent.state import State
from customers.models import ConsentState
from customers.types import OpenedRecord


def read_state(customer_id: UUID, *, part: OpenedRecord | None = None) -> State:
    """Return the consent state of a live record; an empty state if there are no statements.

    part: the part of the record that a session opens; None for the whole record. Its state follows
    from the statements for the opened records. Messages follow the state of the whole record.
    """
    if part:
        ledger = read_ledgers([customer_id]).get(customer_id)
        return fold(ledger.entries, part.record_ids) if ledger else State()
    state = ConsentState.objects.filter(pk=customer_id).values_list("state", flat=True).first()
    return msgspec.convert(state, State) if state else State()
