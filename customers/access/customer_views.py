"""The records that a session of a customer would open, for staff. No session, no cookie."""

from typing import NamedTuple
from uuid import UUID

from customers.access.accounts import Accounts, accounts_of
from customers.identity.families import is_number
from customers.identity.openable_graph import SessionProofs, chosen_record, read_openable
from customers.models import Evidence, Identifier
from customers.types import OpenedRecord

# The kinds that a session proves: by a code, or by the token of an account.
_CODE_KINDS = frozenset({"email", "phone"})


class CustomerView(NamedTuple):
    """The records that a proof opens, and the one that the session would show."""

    # None if nothing opens, or if the customer would have to choose.
    chosen: OpenedRecord | None
    accounts: Accounts


def provable_identifiers(customer_id: UUID) -> list[Identifier]:
    """Return the logins of a live record: its mailboxes, phones and accounts of now.

    An address whose next holder is somebody else is no login of this customer any more.
    """
    rows = Identifier.objects.filter(
        customer=customer_id, evidence=Evidence.VERIFIED, erasure=None
    ).order_by("kind", "value", "-period")
    logins = {
        (row.kind, row.value): row
        for row in reversed(rows)
        if row.kind in _CODE_KINDS or is_number(row.kind)
    }
    later = Identifier.objects.filter(
        kind__in=[kind for kind, _ in logins],
        value__in=[value for _, value in logins],
        evidence=Evidence.VERIFIED,
    ).exclude(customer=customer_id)
    latest = {(row.kind, row.value): row.period for row in later.order_by("period")}
    return sorted(
        (row for key, row in logins.items() if latest.get(key, -1) < row.period),
        key=lambda row: (row.kind not in _CODE_KINDS, row.kind, row.pk),
    )


def read_customer_view(login: Identifier, *, chosen_id: int | None) -> CustomerView:
    """Return what a session that proved this identifier would open.

    chosen_id: the identifier of the record that the customer would choose
    """
    graph = read_openable(_proofs(login))
    opening = graph.open()
    # The token of an account shows the record of the account.
    is_account = is_number(login.kind)
    chosen = graph.proved_record() if is_account else chosen_record(opening, chosen_id)
    return CustomerView(chosen, accounts_of(opening, graph, chosen=chosen))


def _proofs(login: Identifier) -> SessionProofs:
    """Return the proofs of a session with this login, in all periods that are on its record."""
    if not is_number(login.kind):
        return SessionProofs(login.customer_id, (login.kind, login.value))
    accounts = Identifier.objects.filter(
        kind=login.kind, value=login.value, evidence=Evidence.VERIFIED, erasure=None
    )
    return SessionProofs(None, ("", ""), tuple(accounts.values_list("id", flat=True)))
