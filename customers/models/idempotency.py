"""Stored responses of POST requests, by idempotency key."""

from django.db import models
from django.db.models.functions import Now


class IdempotencyKey(models.Model):
    """The stored response to a POST. The same request with the same key gets it again."""

    principal = models.CharField(max_length=100)
    key = models.CharField(max_length=255)
    request_hash = models.UUIDField()
    status = models.SmallIntegerField(null=True)
    body = models.BinaryField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["principal", "key"], name="idempotency_key_once")
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
