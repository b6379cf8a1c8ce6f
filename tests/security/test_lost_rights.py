"""A permission is removed during its use, and two requests use a single-use secret at once.

One staff code in many browsers: test_staff_sessions.py. Streams of customers:
tests/channels/live/test_streams.py. Permissions of each role: tests/config/test_access.py.
"""

import re
from datetime import timedelta

import pytest
from allauth.mfa.utils import decrypt
from django.test import Client
from django.utils import timezone

from customers.actions import sign_in, sign_in_codes, staff_sign_in
from customers.actions.staff_sign_in import WrongAuthenticatorCode
from customers.identity import decisions
from customers.models import AttemptCount, Event, Order, User
from tests import factories, staff
from tests.channels.live.stream_reader import Reader
from tests.security.test_concurrency import together

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

EMAIL, PASSWORD = "noor@example.com", "four-words-that-nobody-knows"


@pytest.fixture
def noor():
    return factories.customer(("email", EMAIL), first_name="Noor")


@pytest.fixture
def sam(quick_hashes) -> User:
    """A staff member at the desk with two factors."""
    sam = staff.colleague("desk")
    sam.set_password(PASSWORD)
    sam.save()
    before, secret = timezone.now() - timedelta(hours=1), staff_sign_in.new_secret()
    code = staff_sign_in.totp(secret, before)
    staff_sign_in.enroll(user=sam, secret=secret, code=code, now=before)
    return sam


@pytest.fixture
def browser(sam) -> Client:
    """Return the client of Sam, who signed in through the forms."""
    browser = Client()
    browser.post("/console/sign-in/", {"email": sam.email, "password": PASSWORD})
    secret = decrypt(sam.authenticator_set.get(type="totp").data["secret"])
    code = staff_sign_in.totp(secret, timezone.now())
    assert browser.post("/console/sign-in/code/", {"code": code}).status_code == 302
    return browser


# Rights that end during use ------------------------------------------------------------------


def leave_role(user: User) -> None:
    user.groups.clear()


def close_login(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def leave_company(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_staff=False)


def lose_phone(user: User) -> None:
    """The administrator deletes the second factor, because another person may have it."""
    boss = staff.let_in(Client(), staff.colleague("", "Lin", is_superuser=True))
    [factor] = user.authenticator_set.filter(type="totp")
    answer = boss.post(f"/admin/mfa/authenticator/{factor.pk}/delete/", {"post": "yes"})
    assert answer.status_code == 302


def lose_phones(user: User) -> None:
    """The same from the list, several at once."""
    boss = staff.let_in(Client(), staff.colleague("", "Lin", is_superuser=True))
    factors = [authenticator.pk for authenticator in user.authenticator_set.all()]
    picked = {"action": "delete_selected", "_selected_action": factors, "post": "yes"}
    assert boss.post("/admin/mfa/authenticator/", picked).status_code == 302


LOSSES = [leave_role, close_login, leave_company, lose_phone, lose_phones]


@pytest.mark.parametrize("lose", LOSSES)
def test_form_submitted_after_a_right_was_lost_changes_nothing(noor, sam, browser, lose):
    path = f"/console/customers/{noor.pk}/new-order/"
    shown = browser.get(path).content.decode()
    key = re.search(r'name="key" value="(\w+)"', shown)[1]
    form = {"key": key, "name": "Lantern Night", "visit_date": "2031-04-18", "place": "yes"}
    version, key_before = noor.version, browser.session.session_key

    lose(sam)

    answers = [
        browser.post(path, form),
        browser.post("/console/topics/status/", {"key": "ride:x", "status": "down"}),
        browser.post(f"/console/customers/{noor.pk}/preferences/objection/", {"answer": "yes"}),
        browser.get(f"/console/customers/{noor.pk}/"),
        browser.get(f"/api/customers/{noor.pk}/"),
    ]
    app = Client(headers={"X-Session-Token": key_before})
    answers.append(app.get(f"/api/customers/{noor.pk}/"))
    assert all(
        answer.status_code in (401, 403, 404)
        or (answer.status_code == 302 and answer["Location"].startswith("/console/sign-in/"))
        for answer in answers
    ), [answer.status_code for answer in answers]
    assert not Order.objects.exists()
    noor.refresh_from_db()
    assert noor.version == version


@pytest.mark.parametrize("lose", [leave_role, lose_phone])
def test_open_stream_ends_when_a_right_is_lost(running, noor, sam, browser, lose):
    shown = {"X-Session-Token": browser.session.session_key}
    with Reader(f"{running.live}/live/customers/{noor.pk}", shown) as reader:
        reader.wait(lambda r: r.frames)

        lose(sam)

        reader.wait_for_end()
    assert reader.frames[-1] == ("ended", {"reason": "rights"}, None)


def test_user_without_a_second_factor_enrolls_again(sam):
    secret = sam.authenticator_set.get(type="totp").data["secret"]
    lose_phone(sam)

    assert not staff_sign_in.has_second_factor(sam)
    new_secret, now = staff_sign_in.new_secret(), timezone.now()
    staff_sign_in.enroll(
        user=sam, secret=new_secret, code=staff_sign_in.totp(new_secret, now), now=now
    )
    assert sam.authenticator_set.get(type="totp").data["secret"] != secret


def test_session_opened_before_a_merge_reads_the_merged_record(noor):
    eli = factories.customer(("email", "eli@example.com"), first_name="Eli")
    browser = Client()
    browser.force_login(User.objects.create_user(EMAIL, record=noor), staff.BACKEND)
    assert browser.get("/api/me/").json()["id"] == str(noor.pk)
    now = timezone.now()

    decisions.merge_records(eli.pk, noor.pk, actor="staff:Sam", now=now)
    noor.refresh_from_db()
    live = str(noor.canonical_id or noor.pk)
    assert browser.get("/api/me/").json()["id"] == live
    assert browser.get("/").status_code == browser.get("/preferences/").status_code == 200
    assert browser.get(f"/api/customers/{eli.pk}/").status_code == 200

    decisions.separate_records(eli.pk, noor.pk, actor="staff:Sam", now=now)
    assert browser.get("/api/me/").json()["id"] == str(noor.pk)
    assert browser.get(f"/api/customers/{eli.pk}/").status_code == 404


# Two at once ---------------------------------------------------------------------------------


def proofs(*codes: sign_in_codes.IssuedCode) -> list[object]:
    return together(
        *(
            lambda code=code: sign_in.verify_code(
                handle=code.handle, code=code.code, language="en", now=timezone.now()
            )
            for code in codes
        )
    )


def ask() -> sign_in_codes.IssuedCode:
    return sign_in_codes.issue_code(email=EMAIL, network="192.0.2.1", now=timezone.now())


def test_one_code_used_concurrently_signs_in_once():
    code = ask()

    answers = proofs(*[code] * 5)

    assert sum(isinstance(answer, User) for answer in answers) == 1
    assert sum(isinstance(answer, sign_in.WrongCode) for answer in answers) == 4
    assert User.objects.count() == 1
    assert Event.objects.filter(name="Address Proved").count() == 1


def test_concurrent_codes_of_a_new_address_create_one_login():
    answers = proofs(ask(), ask(), ask())

    assert {getattr(answer, "pk", answer) for answer in answers} == {User.objects.get().pk}
    assert len({answer.record_id for answer in answers}) == 1


def test_concurrent_enrollments_enroll_one_authenticator(sam):
    ann = staff.colleague("desk", "Ann")
    now = timezone.now()
    secrets = [staff_sign_in.new_secret() for _ in range(4)]

    answers = together(
        *(
            lambda secret=secret: staff_sign_in.enroll(
                user=ann, secret=secret, code=staff_sign_in.totp(secret, now), now=now
            )
            for secret in secrets
        )
    )

    won = [answer for answer in answers if isinstance(answer, list)]
    assert len(won) == 1
    assert sum(isinstance(answer, WrongAuthenticatorCode) for answer in answers) == 3
    assert staff_sign_in.recovery_codes(user=ann) == won[0]
    assert ann.authenticator_set.count() == 2


def test_recovery_code_used_during_renewal_counts_at_most_once(sam):
    for place in range(3):
        old = staff_sign_in.recovery_codes(user=sam)

        _, used = together(
            lambda: staff_sign_in.renew_recovery_codes(user=sam),
            lambda code=old[place]: staff_sign_in.check_code(
                user=sam, code=code, now=timezone.now()
            ),
        )

        assert used is None or isinstance(used, WrongAuthenticatorCode)
        assert not set(old) & set(staff_sign_in.recovery_codes(user=sam))
        with pytest.raises(WrongAuthenticatorCode):
            staff_sign_in.check_code(user=sam, code=old[place], now=timezone.now())
        AttemptCount.objects.all().delete()


def test_code_checked_while_its_factor_is_deleted_is_right_or_wrong(sam):
    codes, now = staff_sign_in.recovery_codes(user=sam), timezone.now()

    answers = together(
        *(
            lambda code=code: staff_sign_in.check_code(user=sam, code=code, now=now)
            for code in codes[:4]
        ),
        lambda: sam.authenticator_set.all().delete(),
    )

    assert all(
        answer is None or isinstance(answer, WrongAuthenticatorCode) for answer in answers[:4]
    ), answers
