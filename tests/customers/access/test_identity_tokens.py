"""Only a token that the source signed within the last hour names an account."""

import base64
import json
from datetime import UTC, datetime, timedelta

import jwt
import pytest

from customers.access import identity_tokens
from customers.access.identity_tokens import ExpiredToken, InvalidToken
from customers.models import Source
from tests.identity_tokens import HOUR, claims_of, sign

SOURCE = Source(pk=7)
SECRET = "idsec_" + "s" * 43
OTHER_SECRET = "idsec_" + "t" * 43


def verify(token, *secrets):
    return identity_tokens.verify(token, source_id=SOURCE.pk, secrets=secrets or [SECRET])


def ago(**parts):
    return datetime.now(UTC) - timedelta(**parts)


def encoded(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_token_of_the_source_names_its_account():
    assert verify(sign(SOURCE, SECRET, "42")) == "42"


@pytest.mark.parametrize("secret", [SECRET, OTHER_SECRET], ids=["newest", "previous"])
def test_both_secrets_are_valid_while_one_replaces_the_other(secret):
    assert verify(sign(SOURCE, secret, "42"), SECRET, OTHER_SECRET) == "42"


def test_source_without_secrets_has_no_valid_token():
    with pytest.raises(InvalidToken):
        identity_tokens.verify(sign(SOURCE, SECRET, "42"), source_id=SOURCE.pk, secrets=[])


def test_expired_token_is_told_apart_from_a_forged_one():
    times = {"iat": ago(hours=3), "exp": ago(hours=2)}

    with pytest.raises(ExpiredToken):
        verify(sign(SOURCE, SECRET, "42", **times))
    with pytest.raises(InvalidToken) as forged:
        verify(sign(SOURCE, OTHER_SECRET, "42", **times))
    assert not isinstance(forged.value, ExpiredToken)


def test_clock_of_the_source_may_differ_by_seconds():
    assert verify(sign(SOURCE, SECRET, "42", iat=ago(seconds=-10), exp=ago(hours=-1))) == "42"
    assert verify(sign(SOURCE, SECRET, "42", iat=ago(minutes=59), exp=ago(seconds=10))) == "42"


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "8"},
        {"iss": None},
        {"aud": "other"},
        {"aud": ["butler", "other"]},
        {"aud": None},
        {"sub": 42},
        {"sub": None},
        {"exp": None},
        {"exp": timedelta(hours=2)},
        {"exp": timedelta(days=300)},
        {"exp": "soon"},
        {"exp": float("inf")},
        {"iat": None},
        {"iat": timedelta(minutes=30)},
        {"iat": timedelta(days=-300), "exp": timedelta(minutes=30)},
        {"nbf": timedelta(minutes=30)},
    ],
    ids=repr,
)
def test_token_with_a_wrong_claim_is_refused(changed):
    """A time stands as its distance from now, so that the name of the test does not change."""
    claims = {
        name: datetime.now(UTC) + value if isinstance(value, timedelta) else value
        for name, value in changed.items()
    }

    with pytest.raises(InvalidToken):
        verify(sign(SOURCE, SECRET, "42", **claims))


@pytest.mark.parametrize("algorithm", ["none", "None", "HS384", "HS512", "RS256", "ES256"])
def test_token_with_another_algorithm_is_refused(algorithm):
    genuine = jwt.encode(claims_of(SOURCE, "42"), SECRET, algorithm="HS256")
    _, claims, signature = genuine.split(".")
    header = encoded({"alg": algorithm, "typ": "JWT"})

    for forged in (f"{header}.{claims}.", f"{header}.{claims}.{signature}"):
        with pytest.raises(InvalidToken):
            verify(forged)


def test_token_that_brings_its_own_key_is_refused():
    own_key = {"kty": "oct", "k": encoded("secret")}
    headers = {"jwk": own_key, "jku": "https://attacker.example/keys", "kid": "../../dev/null"}
    forged = jwt.encode(claims_of(SOURCE, "42"), OTHER_SECRET, headers=headers, algorithm="HS256")

    with pytest.raises(InvalidToken):
        verify(forged)


def test_token_signed_with_the_id_of_its_source_is_refused():
    for guess in ("7".zfill(32), "butler".center(32)):
        with pytest.raises(InvalidToken):
            verify(sign(SOURCE, guess, "42"))


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "eyJ\x00.eyJ.x",
        "é" * 10,
        "\ud800",
        encoded([]) + "..",
        encoded("[" * 1400) + "..",
        base64.b64encode(b"[" * 1400).decode() + ".e30.x",
        "x" * 100_000,
        7,
        None,
        True,
        {"a": 1},
        ["eyJ"],
    ],
    ids=lambda token: repr(token)[:20],
)
def test_text_that_is_no_token_is_refused(token):
    with pytest.raises(InvalidToken):
        verify(token)


def test_each_changed_bit_makes_a_token_invalid():
    genuine = sign(SOURCE, SECRET, "42")

    for place, character in enumerate(genuine):
        changed = genuine[:place] + chr(ord(character) ^ 1) + genuine[place + 1 :]
        # The last character of a part has bits that its bytes do not use.
        if genuine[place + 1 : place + 2] not in (".", ""):
            with pytest.raises(InvalidToken):
                verify(changed)


def test_source_of_a_token_is_found_without_its_secret():
    assert identity_tokens.unverified_source_id(sign(SOURCE, SECRET, "42")) == 7


@pytest.mark.parametrize("issuer", ["", "seven", "-7", "7" * 30, "²", None])
def test_token_that_names_no_source_finds_none(issuer):
    assert identity_tokens.unverified_source_id(sign(SOURCE, SECRET, "42", iss=issuer)) is None


def test_text_that_is_no_token_finds_no_source():
    for text in ("", "a.b.c", "x" * 100_000):
        assert identity_tokens.unverified_source_id(text) is None


def test_token_lives_one_hour_at_most():
    times = {"iat": ago(minutes=1), "exp": ago(minutes=1) + HOUR}
    assert verify(sign(SOURCE, SECRET, "42", **times)) == "42"

    with pytest.raises(InvalidToken):
        verify(sign(SOURCE, SECRET, "42", **times | {"exp": times["exp"] + timedelta(seconds=1)}))
