from django.db import models


class SignInCode(models.Model):
    """A sign-in code that was sent to an address.

    The row contains only the digests of the code and its handle. It exists longer than the code is
    valid, because Butler counts the requests of the last hour by these rows.
    """

    handle_digest = models.BinaryField(max_length=32, primary_key=True)
    code_digest = models.BinaryField(max_length=32)
    email = models.CharField(max_length=254)
    # A keyed digest of the network address of the caller.
    network = models.BinaryField(max_length=16)
    tries = models.SmallIntegerField(default=0)
    requested_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    spent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["email", "requested_at"], name="sign_in_per_address"),
            models.Index(fields=["network", "requested_at"], name="sign_in_per_network"),
            models.Index(fields=["requested_at"], name="sign_in_requested_at"),
        ]

    def __str__(self) -> str:
        return "code to sign in"


class AttemptCount(models.Model):
    """The number of sign-in attempts of a subject in one time window."""

    # A keyed digest of the subject: an address, a network, both, a login.
    subject = models.BinaryField(max_length=16)
    window = models.DateTimeField()
    tries = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject", "window"], name="attempts_once_per_window")
        ]
        indexes = [models.Index(fields=["window"], name="attempts_window")]

    def __str__(self) -> str:
        return f"{self.tries} tries"
