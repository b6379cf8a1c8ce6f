from django.db import models


class SignInCode(models.Model):
    """A sign-in code that was sent to a mailbox or a phone.

    The row contains only the digests of the code and its handle. It exists longer than the code is
    valid, because Butler counts the requests by these rows: of the last hour, and those by SMS of the
    last day.
    """

    handle_digest = models.BinaryField(max_length=32, primary_key=True)
    code_digest = models.BinaryField(max_length=32)
    # The address that got the code: one of both is empty.
    email = models.CharField(max_length=254, blank=True)
    phone = models.CharField(max_length=16, blank=True, db_default="")
    # The calling code of the country of the phone, such as 31; 0 for a mailbox.
    country_code = models.SmallIntegerField(db_default=0)
    # A keyed digest of the network address of the caller.
    network = models.BinaryField(max_length=16)
    tries = models.SmallIntegerField(default=0)
    requested_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    spent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["email", "requested_at"], name="sign_in_per_address"),
            models.Index(
                fields=["phone", "requested_at"],
                condition=~models.Q(phone=""),
                name="sign_in_per_phone",
            ),
            models.Index(
                fields=["country_code", "requested_at"],
                condition=~models.Q(country_code=0),
                name="sign_in_per_country",
            ),
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
