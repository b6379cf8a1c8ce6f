"""Input that could not become an event, stored as it was received."""

from django.db import models

from customers.models.source import Source


class QuarantinedItem(models.Model):
    """Input that could not become an event, stored as it was received."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+")
    message_id = models.TextField(blank=True)
    reason = models.CharField(max_length=64)
    detail = models.TextField(blank=True)
    raw = models.BinaryField()
    # Of source, class of its key and raw bytes: sent again, it is not kept again.
    digest = models.UUIDField(unique=True)
    evidence = models.SmallIntegerField()
    # Whether it came with a secret key: its message ids are apart from those of publishable ones.
    is_secret = models.BooleanField(default=False, db_default=False)
    received_at = models.DateTimeField()
    replayed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.reason} #{self.pk}"
