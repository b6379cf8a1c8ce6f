"""The base of the endpoints about the own login, addresses, accounts and passkeys."""

from django.contrib.sessions.backends.base import SessionBase
from django.http import Http404
from rest_framework.request import Request

from customers.access.permissions import request_principal
from customers.api.base import ApiView
from customers.models import User


class OwnLoginView(ApiView):
    """An endpoint for a customer with a session. Keys, tokens of accounts and staff get 404."""

    def session(self, request: Request) -> tuple[User, SessionBase]:
        """Return the login and the session of a customer; raise Http404 for other principals."""
        principal = request_principal(request)
        if principal.kind != "customer" or principal.session is None or principal.user is None:
            raise Http404
        return principal.user, principal.session
