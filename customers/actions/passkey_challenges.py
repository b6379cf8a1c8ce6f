"""Challenges for passkeys: random, stored here, for one session, valid for five minutes and once."""

import secrets
from datetime import datetime, timedelta

from customers.access.webauthn import CHALLENGE_LENGTH, CHALLENGE_SECONDS, digest
from customers.models import PasskeyChallenge, User


def issue(binding: str, *, user: User | None, now: datetime) -> bytes:
    """Store and return a new challenge.

    binding: the key of the session that has to send the answer, or the handle that an app got
    user: the login that creates a passkey; None for a sign-in
    """
    challenge = secrets.token_bytes(CHALLENGE_LENGTH)
    PasskeyChallenge.objects.create(
        challenge_digest=digest("challenge", challenge),
        binding=digest("binding", binding.encode()),
        user=user,
        expires_at=now + timedelta(seconds=CHALLENGE_SECONDS),
    )
    return challenge


def spend(challenge: bytes, binding: str, *, user: User | None, now: datetime) -> bool:
    """Use up a challenge; return False if it is unknown, used, expired or of another session.

    One statement deletes the row, so that of simultaneous answers only one counts.
    """
    deleted, _ = PasskeyChallenge.objects.filter(
        challenge_digest=digest("challenge", challenge),
        binding=digest("binding", binding.encode()),
        user=user,
        expires_at__gt=now,
    ).delete()
    return deleted == 1
