"""The logins of the park: Noor, who signs in by code, and three who work there."""

from typing import Any

from django.conf import settings

from customers.models import Identifier, Trust, User
from examples.themepark.catalogue import data


def open_logins(passwords: dict[str, str]) -> None:
    """Make the logins that are missing; without a password here, nobody can sign in as staff."""
    for told in data("people")["staff"]:
        reference = told["reference"]
        user, _ = User.objects.get_or_create(
            email=told["email"],
            defaults={
                "name": told["name"],
                "is_staff": True,
                "is_superuser": reference == "lin",
            },
        )
        password = passwords.get(reference)
        if password and not user.check_password(password):
            user.set_password(password)
            user.save(update_fields=["password"])
    noor()


def noor() -> User:
    """Return Noor's login; the record it opens is the one of her proved address."""
    told = data("people")["noor"]
    user = User.objects.filter(email=told["email"]).first()
    if user is None:
        user = User(email=told["email"], name=f"{told['given']} {told['family']}")
        user.set_unusable_password()
    if user.record_id is None:
        address = Identifier.objects.get(kind="email", value=told["email"], trust=Trust.VERIFIED)
        user.record_id = address.record_id or address.customer_id
        user.save()
    return user


def summary(told: dict[str, Any]) -> dict[str, Any]:
    """Return what `make run` prints: who can sign in, and how."""
    people = data("people")
    guest = {
        "who": "Noor, guest",
        "email": people["noor"]["email"],
        "how": "a code by mail: see the outbox",
    }
    staff = [
        {
            "who": f"{member['name']}, {member['works_at']}",
            "email": member["email"],
            "how": told["passwords"][member["reference"]] if settings.DEBUG else "no password",
        }
        for member in people["staff"]
    ]
    return {"park": data("park")["name"], "logins": [guest, *staff]}
