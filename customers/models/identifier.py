from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Now, Reverse, StrIndex, Substr

from customers.models.customer import Customer
from customers.models.source import Source


class Evidence(models.IntegerChoices):
    CLAIMED = 1
    VERIFIED = 2


class Identifier(models.Model):
    """One value that may identify a customer, such as an address or a card.

    The value of an order is `<source id>/<number>`, because two sources may use the same number.

    A claimed and a verified identifier with the same value are two rows, so that a claim never
    leads to the record of the verified identifier.
    """

    kind = models.CharField(max_length=64)
    value = models.CharField(max_length=1024)
    evidence = models.SmallIntegerField(choices=Evidence)
    # The record for events without a stronger identifier; null until the first such event.
    record = models.ForeignKey(
        Customer, on_delete=models.PROTECT, null=True, related_name="filed_identifiers"
    )
    # The live record that the identifier leads to now; null if it is shared or has no record.
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, null=True, related_name="identifiers"
    )
    is_shared = models.BooleanField(default=False, db_default=False)
    first_seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "value", "evidence"], name="identifier_is_unique_per_evidence"
            ),
            models.CheckConstraint(
                condition=models.Q(evidence__in=Evidence.values),
                name="identifier_evidence_is_known",
            ),
        ]
        # Indexes for searches by a similar address, the end of a phone number, an order number.
        indexes = [
            GinIndex(
                OpClass(
                    models.Func(
                        models.F("value"), models.Value("@"), models.Value(1), function="split_part"
                    ),
                    name="gin_trgm_ops",
                ),
                condition=models.Q(kind="email"),
                name="identifier_mailbox",
            ),
            models.Index(
                OpClass(Reverse("value"), name="text_pattern_ops"),
                condition=models.Q(kind="phone"),
                name="identifier_end_of_number",
            ),
            models.Index(
                Substr("value", StrIndex("value", models.Value("/")) + 1),
                condition=models.Q(kind="order"),
                name="identifier_order_number",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"


class LinkKind(models.TextChoices):
    SEEN = "seen"
    # Links an order with the identifier that placed it.
    PLACED = "placed"
    MERGED = "joined", "Joined"
    SEPARATED = "parted", "Parted"


class Link(models.Model):
    """Two identifiers that came in one event, or that staff merged or separated."""

    first = models.ForeignKey(Identifier, on_delete=models.PROTECT, related_name="+")
    second = models.ForeignKey(Identifier, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=8, choices=LinkKind, default=LinkKind.SEEN)
    evidence = models.SmallIntegerField(choices=Evidence)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+")
    actor = models.CharField(max_length=100, blank=True)
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["first", "second", "kind", "evidence"], name="link_is_stated_once"
            ),
            models.CheckConstraint(
                condition=models.Q(first__lt=models.F("second")), name="link_is_ordered"
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=LinkKind.values), name="link_kind_is_known"
            ),
        ]
        # A shared value may have many links, but only the few links that are not "seen" count.
        indexes = [
            models.Index(
                fields=["first"], condition=~models.Q(kind="seen"), name="link_not_seen_first"
            ),
            models.Index(
                fields=["second"], condition=~models.Q(kind="seen"), name="link_not_seen_second"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_id} {self.kind} {self.second_id}"


class BlockedValue(models.Model):
    """A value that identifies no customer, such as the number of an office. The company sets it."""

    kind = models.CharField(max_length=64)
    value = models.CharField(max_length=1024)
    reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "value"], name="blocked_value_once")]

    def __str__(self) -> str:
        return f"{self.kind} blocked #{self.pk}"
