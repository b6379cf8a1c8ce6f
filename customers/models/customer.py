from django.db import models
from uuid_utils.compat import uuid7


class CustomerQuerySet(models.QuerySet["Customer"]):
    def live(self) -> "CustomerQuerySet":
        """Return only records that are not merged into another one."""
        return self.filter(canonical__isnull=True)


class Customer(models.Model):
    """One record of one customer, and the version of its log.

    A merged record points to its canonical record and keeps its own log, so that a separation only
    changes `canonical`.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    canonical = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="members"
    )
    # The number of events on the log. The next event gets version + 1, under the lock of this row.
    version = models.BigIntegerField(default=0, db_default=0)
    # Increases when the record gains or loses identifiers. A transaction that has waited for the
    # lock compares it, to detect that it must read again.
    grouping_version = models.IntegerField(default=0, db_default=0)
    created_at = models.DateTimeField()
    last_seen_at = models.DateTimeField(null=True, blank=True)

    objects = models.Manager.from_queryset(CustomerQuerySet)()

    class Meta:
        # In addition to Django's own permissions. customers.access.roles assigns them.
        permissions = [
            ("find_customer", "Can search for customers"),
            ("meet_customer", "Can see who a customer is and when they visit"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(canonical=models.F("id")),
                name="customer_is_not_its_own_canonical",
            ),
            models.CheckConstraint(
                condition=models.Q(version__gte=0), name="customer_version_counts"
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)
