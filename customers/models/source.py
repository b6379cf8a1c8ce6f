from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from customers.types import MAIN_SPACE_ID


class Space(models.Model):
    """Sources that share the numbers of customers: equal numbers in a space mean one account."""

    class IdsPerPerson(models.TextChoices):
        SINGLE = "one"
        # The numbers are of contracts or passes, and a customer may have several.
        SEVERAL = "several"

    name = models.CharField(max_length=100, unique=True)
    ids_per_person = models.CharField(
        max_length=8, choices=IdsPerPerson, default=IdsPerPerson.SINGLE, db_default="one"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ids_per_person__in=["one", "several"]),
                name="space_ids_per_person_is_known",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def has_several_ids(self) -> bool:
        """True if one person may have several numbers of this space."""
        return self.ids_per_person == self.IdsPerPerson.SEVERAL


class Source(models.Model):
    """A system that sends events: an app, a site, a call desk, a till, a kiosk, an import."""

    class Addresses(models.TextChoices):
        BY_CHANNEL = "", "by its channel"
        # The source sent a code or a link to the address before it sends it to Butler.
        CHECKED = "checked"
        STATED = "stated"
        UNCHECKED = "unchecked"

    class OrderNumbers(models.TextChoices):
        ONCE = "", "used once"
        # The numbers start again each year.
        YEARLY = "yearly"

    name = models.CharField(max_length=100, unique=True)
    channel = models.CharField(max_length=32)
    # Many people use the device (a kiosk, a till, a desk), so it identifies no customer.
    is_shared = models.BooleanField(default=False)
    # The country of phone numbers without a country code (ISO 3166 alpha-2).
    default_region = models.CharField(max_length=2, blank=True)
    # The secrets that sign its webhooks. The second one stays valid while the secret is replaced.
    webhook_secrets = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    # The secrets that sign its identity tokens, the newest first.
    identity_secrets = ArrayField(
        models.CharField(max_length=200), default=list, db_default=[], blank=True
    )
    # The default of the database is for processes of the previous release.
    space = models.ForeignKey(
        Space,
        on_delete=models.PROTECT,
        related_name="sources",
        default=MAIN_SPACE_ID,
        db_default=models.Value(MAIN_SPACE_ID),
    )
    addresses = models.CharField(
        max_length=16, choices=Addresses, blank=True, default="", db_default=""
    )
    order_numbers = models.CharField(
        max_length=16, choices=OrderNumbers, blank=True, default="", db_default=""
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(addresses__in=["", "checked", "stated", "unchecked"]),
                name="source_addresses_are_known",
            ),
            models.CheckConstraint(
                condition=models.Q(order_numbers__in=["", "yearly"]),
                name="source_order_numbers_are_known",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SourceWarning(models.Model):
    """How often a source sent one kind of fault on one day, in events that were stored."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="warnings")
    # A day of the company's time zone.
    day = models.DateField()
    code = models.CharField(max_length=64)
    count = models.BigIntegerField()
    # The message id of the newest such event.
    example = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "day", "code"], name="source_warning_per_day")
        ]

    def __str__(self) -> str:
        return f"{self.code} of source {self.source_id} on {self.day}"


class SourceKey(models.Model):
    """A key of a source. Butler stores only its digest, and shows its text once, at creation."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="keys")
    prefix = models.CharField(max_length=12, editable=False)
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    is_secret = models.BooleanField(default=False)
    scopes = ArrayField(models.CharField(max_length=16), default=list)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(is_secret=True) | models.Q(scopes=["ingest"]),
                name="publishable_key_can_only_write",
            )
        ]

    def __str__(self) -> str:
        return f"{self.prefix}…"
