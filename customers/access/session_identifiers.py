"""Chooses the identifier for which the session of a customer speaks."""

from django.contrib.sessions.backends.base import SessionBase
from django.db.models import Exists, OuterRef, Q, QuerySet

from customers.access.sessions import session_opening, session_proofs
from customers.identity.openable_graph import CHOSEN, read_openable
from customers.models import Evidence, Identifier, User


def proved_address() -> QuerySet[Identifier]:
    """Return the mailbox or the phone that a login proved, as a subquery on the login.

    An address is not returned if its period ended since then: another person may have it.
    """
    is_address = Q(kind="email") | Q(kind="phone", value=OuterRef("phone"))
    addresses = Identifier.objects.filter(
        is_address, record=OuterRef("record"), evidence=Evidence.VERIFIED, erasure=None
    )
    return addresses.filter(~has_later_holder()).order_by("-period")


def has_later_holder(path: str = "") -> Exists:
    """Return the condition that another record has a later period of an address.

    A later period on the same record continues the earlier one.
    path: from the rows of the query to the address, such as `address__`
    """
    later = Identifier.objects.filter(
        kind=OuterRef(f"{path}kind"),
        value=OuterRef(f"{path}value"),
        evidence=Evidence.VERIFIED,
        period__gt=OuterRef(f"{path}period"),
    )
    return Exists(later.exclude(customer=OuterRef(f"{path}customer")))


def chosen_account(user: User, session: SessionBase) -> tuple[str, str] | None:
    """Return the account that the customer chose of several, as its kind and stored value.

    The result is None without a choice, or if the session no longer opens the account.
    """
    account_id = session.get(CHOSEN)
    if account_id is None:
        return None
    graph = read_openable(session_proofs(user, session))
    record = session_opening(graph, session).chosen
    if record is None or account_id not in record.account_ids:
        return None
    account = graph.identifiers[account_id].node
    return account.kind, account.value
