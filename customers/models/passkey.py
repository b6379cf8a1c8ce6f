from django.contrib.postgres.fields import ArrayField
from django.db import models

from customers.models.identifier import Identifier
from customers.models.login import User


class Passkey(models.Model):
    """A passkey (a WebAuthn credential) of a login.

    It proves the mailbox or the phone that its login had proved when it was created, in the same period.
    It proves no record, and no other address that the session had proved: their holders could not
    remove it.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="passkeys")
    address = models.ForeignKey(Identifier, on_delete=models.PROTECT, related_name="+")
    credential_id = models.BinaryField(max_length=1023, unique=True)
    # The attested credential data of WebAuthn: model of the authenticator, credential id, public key.
    credential = models.BinaryField(max_length=4096)
    # The number of signatures that the authenticator reports; 0 if it counts none.
    sign_count = models.BigIntegerField()
    # The authenticator may copy the passkey to other devices of the customer.
    is_synced = models.BooleanField()
    # Ways to reach the authenticator, such as "internal" and "hybrid".
    transports = ArrayField(models.CharField(max_length=20), default=list)
    name = models.CharField(max_length=60)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"passkey #{self.pk}"


class PasskeyChallenge(models.Model):
    """A challenge that an authenticator signs once, within five minutes.

    The row contains digests only. The first use deletes it.
    """

    challenge_digest = models.BinaryField(max_length=32, primary_key=True)
    # A digest of the session of the browser or the app, or of the handle that an app got.
    binding = models.BinaryField(max_length=32)
    # The login that creates a passkey; None for a sign-in.
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="+")
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="passkey_challenge_expires")]

    def __str__(self) -> str:
        return "challenge for a passkey"
