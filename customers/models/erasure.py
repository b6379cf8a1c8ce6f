"""Erasures of records, and the tombstones that Butler stores instead of the erased identifiers."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from customers.db.append_only import append_only_triggers
from customers.models.customer import Customer


class Erasure(models.Model):
    """An act that erased a live record: from now on, nothing joins its identifiers."""

    # Without a constraint, because the record itself is deleted later.
    customer = models.ForeignKey(
        Customer, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    erased_at = models.DateTimeField()
    actor = models.CharField(max_length=100)
    reason = models.CharField(max_length=200)

    class Meta:
        triggers = append_only_triggers("erasure")

    def __str__(self) -> str:
        return f"erasure #{self.pk}"


class Tombstone(models.Model):
    """An erased identifier as a keyed digest. Nobody can read the identifier from it."""

    erasure = models.ForeignKey(Erasure, on_delete=models.PROTECT, related_name="tombstones")
    # customers.identity.erasure_rules.digest: of the kind, the value with its source, and the evidence.
    digest = models.BinaryField(max_length=32)
    # The period of the identifier that begins at `erased_at`.
    period = models.SmallIntegerField()
    erased_at = models.DateTimeField()
    # For an address: the purposes for which it gets no messages, also "marketing" for all offers.
    refused = ArrayField(models.TextField(), default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["digest", "period"], name="tombstone_once_per_period")
        ]
        triggers = append_only_triggers("tombstone")

    def __str__(self) -> str:
        return f"tombstone #{self.pk}"
