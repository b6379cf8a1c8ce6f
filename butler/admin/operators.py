"""The person who works in the administration."""

from django.http import HttpRequest


def operator_name(request: HttpRequest) -> str:
    """Return the name of whoever is signed in, as versions and switches store it."""
    return str(getattr(request.user, "name", "") or request.user)[:100]
