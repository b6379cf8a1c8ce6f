"""The logins of the park: Noor, who signs in by code, and the staff."""

from datetime import datetime
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from allauth.mfa.utils import decrypt, encrypt
from django.conf import settings
from django.contrib.auth.models import Group

from customers.access.mfa import UndecryptableSecret
from customers.actions import identity
from customers.models import Evidence, Identifier, User
from examples.themepark.catalogue import read_data


def create_logins(passwords: dict[str, str], factors: dict[str, str], *, is_fresh: bool) -> None:
    """Create the missing logins. A staff member without a password cannot sign in."""
    for profile in read_data("people")["staff"]:
        reference = profile["reference"]
        user = User.objects.filter(email=profile["email"]).first()
        if user is None:
            user = User(email=profile["email"], name=profile["name"], is_staff=True)
            user.is_superuser = profile.get("is_superuser", False)
            user.set_unusable_password()
            user.save()
        user.groups.set(Group.objects.filter(name=profile["role"]))
        if secret := factors.get(reference):
            _set_authenticator(user, secret)
        password = passwords.get(reference)
        # The stored password is not compared, because each check takes a third of a second.
        if password and (is_fresh or not user.has_usable_password()):
            user.set_password(password)
            user.save(update_fields=["password"])
    noor()


def email_of(reference: str) -> str:
    """Return the mail address of a staff member."""
    return str(
        next(
            member["email"]
            for member in read_data("people")["staff"]
            if member["reference"] == reference
        )
    )


def _set_authenticator(user: User, secret: str) -> None:
    """Set the secret of the user's authenticator app; manage.py demo_code prints its codes."""
    factor = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first()
    if factor is None:
        TOTP.activate(user, secret)
    elif not _has_secret(factor, secret):
        factor.data = {"secret": encrypt(secret)}
        factor.save(update_fields=["data"])


def _has_secret(factor: Authenticator, secret: str) -> bool:
    # The data folder may be new, and its key may differ from the key that encrypted the secret.
    try:
        return bool(decrypt(factor.data["secret"]) == secret)
    except UndecryptableSecret:
        return False


def noor() -> User:
    """Return Noor's login, which opens the record of her proved address; create it if missing."""
    profile = read_data("people")["noor"]
    user = User.objects.filter(email=profile["email"]).first()
    if user is None:
        user = User(email=profile["email"], name=f"{profile['first_name']} {profile['last_name']}")
        user.set_unusable_password()
    if user.record_id is None:
        address = _identifier("email", profile["email"])
        user.record_id = address.record_id or address.customer_id
        user.save()
    return user


def confirm_phone_of_noor(*, now: datetime) -> None:
    """Let Sam confirm that the phone is Noor's, so that no source can put it in doubt."""
    profile = read_data("people")["noor"]
    mailbox = _identifier("email", profile["email"])
    phone = _identifier("phone", profile["phone"])
    if mailbox.customer_id:
        identity.decide(
            customer_id=mailbox.customer_id,
            kind="merge",
            first=mailbox.pk,
            second=phone.pk,
            reason="She called from this number",
            actor="staff:sam",
            now=now,
        )


def _identifier(kind: str, value: str) -> Identifier:
    """Return an identifier that is no claim. An erasure ends its period, and the next begins."""
    verified = Identifier.objects.filter(kind=kind, value=value, evidence=Evidence.VERIFIED)
    return verified.latest("period")


def summary(passwords: dict[str, str]) -> dict[str, Any]:
    """Return the summary that `make run` prints: the logins and how to sign in."""
    people = read_data("people")
    guest = {
        "who": "Noor, guest",
        "email": people["noor"]["email"],
        "how": "a code by mail: see the outbox",
    }
    staff = [
        {
            "who": f"{member['name']}, {member['works_at']}",
            "email": member["email"],
            "how": passwords[member["reference"]] if settings.DEBUG else "no password",
            "code": f"manage.py demo_code {member['reference']}",
        }
        for member in people["staff"]
    ]
    return {"park": read_data("park")["name"], "logins": [guest, *staff]}
