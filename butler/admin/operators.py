"""The name of the staff member who uses the administration."""

from django.http import HttpRequest


def operator_name(request: HttpRequest) -> str:
    """Return the name of the signed-in staff member, as versions and switches store it."""
    return str(getattr(request.user, "name", "") or request.user)[:100]
