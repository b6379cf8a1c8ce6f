"""A passkey ends with its mailbox, and opens nothing for those who had the mailbox earlier."""

from importlib import import_module

import pytest
from django.conf import settings
from django.utils import timezone

from customers.access.proof_times import SIGNED_IN_AT
from customers.actions import erasure, identity
from customers.actions.proved_addresses import TakesProvedAddress
from customers.actions.sign_in import prove_address
from customers.identity import decisions
from customers.models import Identifier, Passkey, User
from tests import factories
from tests.authenticator import Authenticator
from tests.customers.identity.company import email, record_of
from tests.customers.identity.passkey_app import (
    PasskeyApp,
    PasskeySession,
    is_refused,
    sign_in,
    stored_fields,
)
from tests.security.test_address_changes import advance
from tests.wsgi_client import WsgiClient

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("unlimited_codes"),
]

BOX, NEW, EVIL = "noor@example.com", "noor.new@example.com", "evil@example.com"


def test_passkey_does_not_open_another_mailbox_that_its_session_had_proved(noor, shop):
    """The holder of the other mailbox could not remove the passkey."""
    shop.order(3, "E-1", email=EVIL)
    noor.add(EVIL)

    session = PasskeySession(noor.create_passkey())

    assert session.orders() == ["A-1"]


def test_passkey_ends_when_its_mailbox_is_removed(noor, phone):
    app = PasskeyApp(BOX)
    app.add(NEW)
    earlier = PasskeySession(phone)

    assert app.remove(BOX).status_code == 204

    assert is_refused(sign_in(phone))
    assert not earlier.is_open()
    assert not Passkey.objects.exists()


def test_passkey_ends_when_its_mailbox_is_replaced(noor, phone):
    noor.add(NEW, replaces=BOX)

    assert is_refused(sign_in(phone))
    assert PasskeyApp(NEW).orders() == ["A-1"]


def test_passkey_ends_when_a_change_that_waited_replaces_its_mailbox(noor, phone):
    noor.age()
    noor.add(NEW, replaces=BOX)
    assert sign_in(phone).status_code == 200

    advance(1)
    advance(80)

    assert is_refused(sign_in(phone))


def test_one_colleague_cannot_take_the_mailbox_of_a_passkey_off_the_account(noor, phone, shop):
    kind, number = shop.account("noor")

    with pytest.raises(TakesProvedAddress):
        identity.decide(
            customer_id=record_of(email(BOX)),
            kind="separate",
            first=("email", BOX),
            second=(kind, number),
            actor="staff:lin",
            reason="Not hers",
            region="NL",
            now=timezone.now(),
        )

    assert sign_in(phone).status_code == 200


@pytest.fixture
def missed(noor, phone, shop):
    """A passkey of a mailbox whose period ended, as if its removal had missed the passkey."""
    shop.identify(3, "noor", email=BOX, email_verified=True)
    noor.add(NEW, replaces=BOX)
    return Passkey.objects.create(**stored_fields(phone, User.objects.get(email=BOX)))


def test_passkey_of_an_earlier_holder_opens_nothing_once_the_next_one_proved_the_mailbox(
    missed, phone
):
    prove_address("email", BOX, timezone.now())

    assert Identifier.objects.filter(kind="email", value=BOX, period=1).exists()
    assert is_refused(sign_in(phone))


def test_next_holder_of_a_mailbox_has_no_passkey_of_the_earlier_one(missed, phone):
    next_holder = PasskeyApp(BOX)

    assert is_refused(sign_in(phone))
    assert next_holder.passkeys() == []
    assert not Passkey.objects.filter(pk=missed.pk).exists()


# In one transaction: tombstones are never deleted, also after a test.
@pytest.mark.django_db
def test_passkey_is_deleted_by_an_erasure(noor, phone):
    erasure.erase(
        customer_id=record_of(email(BOX)), reason="asked", actor="staff:lin", now=timezone.now()
    )

    assert is_refused(sign_in(phone))
    assert not Passkey.objects.exists()
    assert User.objects.get(email=BOX).passkey_handle is None
    assert PasskeyApp(BOX).passkeys() == []


def test_passkey_of_a_closed_login_or_of_staff_opens_nothing(phone):
    users = User.objects.filter(email=BOX)

    users.update(is_active=False)
    assert is_refused(sign_in(phone))
    users.update(is_active=True, is_staff=True)
    assert is_refused(sign_in(phone))
    users.update(is_staff=False)
    assert sign_in(phone).status_code == 200


def test_attacker_with_a_login_of_the_victims_address_creates_no_passkey(db):
    """A login that staff or a program created proves no mailbox."""
    own = factories.customer(("email", EVIL))
    record = Identifier.objects.get(kind="email", value=EVIL, evidence=2).record
    assert record == own
    trap = User.objects.create_user(BOX, record=record)
    app = _session_of(trap)

    assert app.passkey_request("post", "options/", {}).status_code == 403


def test_passkey_from_before_the_proof_is_gone_after_it(db):
    """Pre-hijacking: whatever an attacker prepared for the address ends when its owner comes."""
    factories.customer(("email", EVIL))
    record = Identifier.objects.get(kind="email", value=EVIL, evidence=2).record
    trap = User.objects.create_user(BOX, record=record)
    device = Authenticator(user_handle=b"h" * 32)
    User.objects.filter(pk=trap.pk).update(passkey_handle=device.user_handle)
    mailbox = Identifier.objects.get(kind="email", value=EVIL, evidence=2)
    Passkey.objects.create(**stored_fields(device, trap, address=mailbox))

    owner = PasskeyApp(BOX)

    assert is_refused(sign_in(device))
    assert owner.passkeys() == []
    assert not Passkey.objects.exists()


def test_stranger_who_states_and_takes_off_the_address_ends_no_passkey(noor, phone, shop):
    shop.identify(500, "evil", email=BOX)
    kind, number = shop.account("evil")
    ends = Identifier.objects.get(kind=kind, value=number), Identifier.objects.get(value=BOX)
    decisions.decide(
        "separate", ends[0].pk, ends[1].pk, actor="customer", reason="x", now=timezone.now()
    )

    PasskeyApp(BOX)

    assert sign_in(phone).status_code == 200
    assert PasskeySession(phone).orders() == ["A-1"]
    assert noor.is_open()


def test_passkey_opens_no_record_that_staff_merged_by_mistake(noor, phone, shop):
    shop.identify(5, "eli", email=EVIL)
    shop.order(6, "E-1", "eli")
    identity.decide(
        customer_id=record_of(email(BOX)),
        kind="merge",
        first=shop.account("noor"),
        second=shop.account("eli"),
        actor="staff:lin",
        reason="One household",
        region="NL",
        now=timezone.now(),
    )

    assert PasskeySession(phone).orders() == ["A-1"]


def _session_of(user: User) -> PasskeyApp:
    """Return an app with a session that this login opened just now."""
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session["_auth_user_id"] = str(user.pk)
    session["_auth_user_backend"] = "django.contrib.auth.backends.ModelBackend"
    session["_auth_user_hash"] = user.get_session_auth_hash()
    session[SIGNED_IN_AT] = timezone.now().timestamp()
    session.save()
    app = PasskeyApp.__new__(PasskeyApp)
    app.token = session.session_key
    app._client = WsgiClient(headers={"X-Session-Token": app.token})
    return app
