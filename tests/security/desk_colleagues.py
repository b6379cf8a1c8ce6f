"""A colleague at the desk, who proposes and decides changes of addresses through the API."""

import uuid

from django.contrib.auth.models import Permission

from customers.models import User
from tests.customers.api.conftest import Caller, session_of

EVIDENCE = "saw her passport at the desk"
RIGHTS = ("view_customer", "find_customer", "view_identifier", "view_review", "change_review")


class Desk:
    """A colleague at the desk, with one session or several of the same login."""

    def __init__(self, name: str, *rights: str, email: str = "", **fields) -> None:
        email = email or f"{name.lower()}-{uuid.uuid4()}@staff.example.com"
        self.user = User.objects.create_user(email, "x", is_staff=True, name=name, **fields)
        self.user.user_permissions.set(Permission.objects.filter(codename__in=rights))
        self.open_session()

    def open_session(self) -> None:
        self.caller = Caller(**{"X-Session-Token": session_of(self.user)})

    def propose(self, customer_id, *, evidence: str = EVIDENCE, **body):
        path = f"/api/customers/{customer_id}/address-changes/"
        return self.caller.post(path, {"evidence": evidence, **body})

    def decide(self, customer_id, change_id: int, outcome: str = "apply", **body):
        path = f"/api/customers/{customer_id}/address-changes/{change_id}/decide/"
        return self.caller.post(path, {"outcome": outcome, "evidence": EVIDENCE, **body})
