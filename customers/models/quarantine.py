"""The model of items in quarantine."""

from django.db import models

from customers.models.source import Source


class QuarantinedItem(models.Model):
    """Input that could not become an event, stored as it was received."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+")
    message_id = models.TextField(blank=True)
    reason = models.CharField(max_length=64)
    detail = models.TextField(blank=True)
    raw = models.BinaryField()
    # The digest of source, key class and raw bytes. It prevents a second row for the same item.
    digest = models.UUIDField(unique=True)
    evidence = models.SmallIntegerField()
    # True if the item came with a secret key, whose message ids have a separate name space.
    is_secret = models.BooleanField(default=False, db_default=False)
    received_at = models.DateTimeField()
    replayed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.reason} #{self.pk}"
