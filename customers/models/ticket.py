"""Codes of tickets, and their scans at gates. No rebuild changes them."""

from django.db import models

from customers.models.customer import Customer
from customers.models.source import Source


class TicketCode(models.Model):
    """A code that opens the gate for an order, or for one guest of it.

    The row stays after the code has ended, so that the gate knows why it does not open.
    """

    # The value of the order's identifier, `<source id>/<number>`, which stays the same if another
    # customer has the order; `<record id>/<number>` for an order without an identifier.
    order_key = models.TextField()
    number = models.TextField()
    # The record that had the order when the code was issued.
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    # The number of the guest, or the name that the source gave; empty for the whole order.
    guest = models.TextField(blank=True)
    digest = models.BinaryField(max_length=16)
    # The encrypted code; empty for order numbers and after an erasure.
    encrypted = models.BinaryField(default=b"", blank=True)
    origin = models.CharField(max_length=16)
    visit_date = models.DateField(null=True)
    issued_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=16, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["digest", "order_key", "guest"], name="ticket_code_once_per_guest"
            ),
            models.UniqueConstraint(
                fields=["order_key", "guest"],
                condition=models.Q(ended_at__isnull=True, origin__in=["first", "reissued"]),
                name="one_issued_code_per_guest",
            ),
        ]
        indexes = [models.Index(fields=["order_key"], name="ticket_codes_of_order")]

    def __str__(self) -> str:
        return f"code of {self.order_key}"


class GateScan(models.Model):
    """One scan of a code at a gate, also of an unknown code."""

    # The digest of source, device and the number of the line; random for a scan without them.
    key = models.UUIDField(unique=True)
    source = models.ForeignKey(
        Source, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False
    )
    code_digest = models.BinaryField(max_length=16)
    # Empty for an unknown code.
    order_key = models.TextField(blank=True)
    guest = models.TextField(blank=True)
    state = models.CharField(max_length=16)
    outcome = models.CharField(max_length=16)
    device = models.TextField(blank=True)
    place = models.TextField(blank=True)
    staff = models.TextField(blank=True)
    scanned_at = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta:
        constraints = [
            # The lock of the order prevents a second admission; this stops one by mistake.
            models.UniqueConstraint(
                fields=["order_key", "guest"],
                condition=models.Q(outcome="admitted"),
                name="one_admission_per_ticket",
            )
        ]
        indexes = [
            models.Index(
                fields=["order_key"],
                condition=~models.Q(order_key=""),
                name="gate_scans_of_order",
            )
        ]

    def __str__(self) -> str:
        return f"{self.state} at {self.place}"
