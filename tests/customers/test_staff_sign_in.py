from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import encrypt
from django.db import connection

from customers.actions import sign_in, staff_sign_in
from customers.actions.attempt_limits import TooManyAttempts
from customers.actions.staff_sign_in import WrongAuthenticatorCode, WrongPassword
from customers.models import AttemptCount, User
from tests.factories import NOON

# Tries are counted in transactions of their own.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("quick_hashes"),
]

PASSWORD = "four-words-that-nobody-knows"
LATER = NOON + timedelta(minutes=20)


@pytest.fixture
def sam() -> User:
    return User.objects.create_user("sam@staff.example.com", PASSWORD, is_staff=True, name="Sam")


@pytest.fixture
def secret(sam) -> str:
    new_secret = staff_sign_in.new_secret()
    before = NOON - timedelta(hours=1)
    code = staff_sign_in.totp(new_secret, before)
    staff_sign_in.enroll(user=sam, secret=new_secret, code=code, now=before)
    return new_secret


def _password(email="sam@staff.example.com", password=PASSWORD, network="192.0.2.7", now=NOON):
    return staff_sign_in.check_password(email=email, password=password, network=network, now=now)


def test_the_right_password_is_taken_in_any_case_of_the_address(sam):
    assert _password(" Sam@Staff.Example.com ") == sam


@pytest.mark.parametrize(
    "change", [{"is_staff": False}, {"is_active": False}], ids=["customer", "closed"]
)
def test_only_active_staff_can_sign_in(sam, change):
    User.objects.filter(pk=sam.pk).update(**change)

    with pytest.raises(WrongPassword):
        _password()


def test_ten_wrong_passwords_block_the_sign_in(sam):
    for _ in range(10):
        with pytest.raises(WrongPassword):
            _password(password="guess")

    # Even the right one, from there; from elsewhere its owner still comes in.
    with pytest.raises(TooManyAttempts) as refused:
        _password()
    assert 0 < refused.value.seconds <= 900
    assert _password(network="198.51.100.1") == sam
    assert _password(now=LATER) == sam


def test_attempts_of_a_network_are_counted_for_all_addresses(sam):
    for number in range(200):
        with pytest.raises(WrongPassword):
            _password(f"nobody{number}@staff.example.com")

    with pytest.raises(TooManyAttempts):
        _password()


def test_only_ten_of_many_concurrent_attempts_are_checked(sam):
    def guess(_: int) -> str:
        try:
            _password(password="guess")
        except (WrongPassword, TooManyAttempts) as error:
            return type(error).__name__
        finally:
            connection.close()
        return "in"

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(guess, range(60)))

    assert outcomes.count("WrongPassword") == 10
    assert outcomes.count("TooManyAttempts") == 50


def test_a_code_of_the_app_is_taken_once(sam, secret):
    code = staff_sign_in.totp(secret, NOON)
    staff_sign_in.check_code(user=sam, code=f"{code[:3]} {code[3:]}", now=NOON)

    with pytest.raises(WrongAuthenticatorCode):
        staff_sign_in.check_code(user=sam, code=code, now=NOON)


def test_a_clock_may_be_half_a_minute_late_and_no_more(sam, secret):
    late = staff_sign_in.totp(secret, NOON - timedelta(seconds=30))
    later = staff_sign_in.totp(secret, NOON + timedelta(seconds=90))

    staff_sign_in.check_code(user=sam, code=late, now=NOON)
    with pytest.raises(WrongAuthenticatorCode):
        staff_sign_in.check_code(user=sam, code=later, now=NOON)


def test_five_wrong_codes_block_the_sign_in(sam, secret):
    right = staff_sign_in.totp(secret, NOON)
    for number in range(5):
        with pytest.raises(WrongAuthenticatorCode):
            staff_sign_in.check_code(
                user=sam, code=f"{(int(right) + number + 1) % 10**6:06d}", now=NOON
            )

    with pytest.raises(TooManyAttempts):
        staff_sign_in.check_code(user=sam, code=right, now=NOON)


def test_a_recovery_code_opens_once(sam):
    new_secret = staff_sign_in.new_secret()
    codes = staff_sign_in.enroll(
        user=sam, secret=new_secret, code=staff_sign_in.totp(new_secret, NOON), now=NOON
    )

    staff_sign_in.check_code(user=sam, code=codes[3], now=NOON)

    assert len(set(codes)) == 10
    with pytest.raises(WrongAuthenticatorCode):
        staff_sign_in.check_code(user=sam, code=codes[3], now=NOON)


def test_password_alone_cannot_replace_the_second_factor(sam, secret):
    other = staff_sign_in.new_secret()

    with pytest.raises(WrongAuthenticatorCode):
        staff_sign_in.enroll(user=sam, secret=other, code=staff_sign_in.totp(other, NOON), now=NOON)

    assert Authenticator.objects.filter(user=sam, type="totp").count() == 1


def test_the_secret_is_not_in_the_database_in_clear(sam, secret, settings):
    stored_secret = Authenticator.objects.get(user=sam, type="totp").data["secret"]
    assert secret not in stored_secret

    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key, which is used from now on"
    staff_sign_in.check_code(user=sam, code=staff_sign_in.totp(secret, NOON), now=NOON)


def test_sign_in_during_key_rotation_reencrypts_the_second_factor(sam, secret, settings):
    [spare, *_] = staff_sign_in.recovery_codes(user=sam)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key, which is used from now on"
    staff_sign_in.check_code(user=sam, code=staff_sign_in.totp(secret, NOON), now=NOON)

    settings.SECRET_KEY_FALLBACKS = []

    later = NOON + timedelta(minutes=1)
    staff_sign_in.check_code(user=sam, code=staff_sign_in.totp(secret, later), now=later)
    staff_sign_in.check_code(user=sam, code=spare, now=later)


def test_second_factor_with_a_lost_key_is_refused(sam, secret, settings):
    [spare, *_] = staff_sign_in.recovery_codes(user=sam)
    settings.SECRET_KEY = "another key, which is used from now on"

    for code in (staff_sign_in.totp(secret, NOON), spare):
        with pytest.raises(WrongAuthenticatorCode):
            staff_sign_in.check_code(user=sam, code=code, now=NOON)


def test_recovery_codes_with_a_lost_key_do_not_block_the_app_code(sam, secret, settings):
    staff_sign_in.recovery_codes(user=sam)
    settings.SECRET_KEY = "another key, which is used from now on"
    app = Authenticator.objects.get(user=sam, type="totp")
    app.data["secret"] = encrypt(secret)
    app.save()

    staff_sign_in.check_code(user=sam, code=staff_sign_in.totp(secret, NOON), now=NOON)


def test_counts_of_attempts_expire(sam):
    with pytest.raises(WrongPassword):
        _password(password="guess")
    sign_in.delete_expired(now=NOON + timedelta(hours=3))

    assert AttemptCount.objects.count() == 0
