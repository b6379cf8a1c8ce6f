"""Chooses the identifier for which the session of a customer speaks."""

from django.contrib.sessions.backends.base import SessionBase
from django.db.models import Exists, OuterRef, QuerySet

from customers.identity.openable_graph import CHOSEN
from customers.models import Evidence, Identifier


def session_identifier(session: SessionBase) -> QuerySet[Identifier]:
    """Return the identifier for which a session speaks, as a subquery on its login.

    It is the account that the customer chose, or else the mailbox that the login proved. A mailbox
    is not returned if its period ended since then: somebody else may have it.
    """
    proved = Identifier.objects.filter(evidence=Evidence.VERIFIED, erasure=None)
    account_id = session.get(CHOSEN)
    if isinstance(account_id, int):
        return proved.filter(pk=account_id)
    # A later period on the same record continues the earlier one.
    later = Identifier.objects.filter(
        kind=OuterRef("kind"),
        value=OuterRef("value"),
        evidence=Evidence.VERIFIED,
        period__gt=OuterRef("period"),
    ).exclude(customer=OuterRef("customer"))
    mailboxes = proved.filter(kind="email", record=OuterRef("record"))
    return mailboxes.filter(~Exists(later)).order_by("-period")
