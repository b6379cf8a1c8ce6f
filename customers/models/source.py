from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


class Source(models.Model):
    """A system that sends events: an app, a site, a call desk, a till, a kiosk, an import."""

    name = models.CharField(max_length=100, unique=True)
    channel = models.CharField(max_length=32)
    # Many people use the device (a kiosk, a till, a desk), so it identifies no customer.
    is_shared = models.BooleanField(default=False)
    # The country of phone numbers without a country code (ISO 3166 alpha-2).
    default_region = models.CharField(max_length=2, blank=True)
    # The secrets that sign its webhooks. The second one stays valid while the secret is replaced.
    webhook_secrets = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return self.name


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
