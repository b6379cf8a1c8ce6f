"""Models of the current record: projections of the log. `manage.py rebuild` recomputes them."""

from django.db import models
from django.db.models.functions import ExtractDay, ExtractMonth

from customers.models.customer import Customer
from customers.models.identifier import Evidence
from customers.values.order_numbers import SUFFIX_SEPARATOR


class Trait(models.Model):
    """The current value of one trait, with its source. A null value means that it was deleted."""

    pk = models.CompositePrimaryKey("customer_id", "name")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, db_index=False)
    name = models.TextField()
    value = models.JSONField(null=True)
    evidence = models.SmallIntegerField(choices=Evidence)
    source_id = models.IntegerField()
    occurred_at = models.DateTimeField()
    # Decides between statements with the same time. It is null in rows that are older than the
    # column; the event with this message key then has the number.
    arrival = models.BigIntegerField(null=True)
    message_key = models.UUIDField()

    def __str__(self) -> str:
        return f"{self.customer_id} {self.name}"


class Order(models.Model):
    """An order of a customer. In a theme park: an arrangement."""

    class Status(models.TextChoices):
        REQUESTED = "requested"
        PLACED = "placed"
        AMENDED = "amended"
        PARTLY_REFUNDED = "partly_refunded"
        CANCELLED = "cancelled"
        REFUNDED = "refunded"
        DECLINED = "declined"
        EXPIRED = "expired"

    pk = models.CompositePrimaryKey("customer_id", "number")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, db_index=False)
    number = models.TextField()
    status = models.CharField(max_length=16, choices=Status)
    channel = models.CharField(max_length=32)
    currency = models.CharField(max_length=3, blank=True)
    # The agreed price less what was cancelled and refunded, with the decimal places of the currency.
    total = models.DecimalField()
    # True if no readable total was stated, so that the total is the sum of the lines.
    is_total_of_lines = models.BooleanField(default=False, db_default=False)
    visit_date = models.DateField(null=True)
    visit_time = models.TimeField(null=True)
    party = models.JSONField(default=list)
    lines = models.JSONField(default=list)
    details = models.JSONField(default=dict)
    # Changes that the customer requested and that are not confirmed or declined yet.
    requested_changes = models.JSONField(default=list, db_default=[])
    refunds = models.JSONField(default=list, db_default=[])
    # The codes of what Butler could not read in the events of the order, by field.
    doubts = models.JSONField(default=dict, db_default={})
    # All requests of customers about the order, with their states.
    requests = models.JSONField(default=list, db_default=[])
    # When the oldest request without an answer was made.
    asked_at = models.DateTimeField(null=True, blank=True)
    # The source that placed the order; null if staff placed it, or nobody yet.
    source_id = models.IntegerField(null=True, blank=True)
    evidence = models.SmallIntegerField(choices=Evidence)
    placed_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    changed_by = models.TextField()
    # The version of the last event about this order.
    version = models.BigIntegerField()

    class Meta:
        indexes = [
            models.Index(fields=["number"], name="order_number"),
            models.Index(
                fields=["visit_date"],
                condition=models.Q(visit_date__isnull=False),
                name="order_visit_date",
            ),
            models.Index(
                fields=["asked_at", "number"],
                condition=models.Q(asked_at__isnull=False),
                name="order_asked_at",
            ),
            # The second orders with a number, such as `1001·2`.
            models.Index(
                models.Func("number", function="customers_sent_number"),
                "customer",
                condition=models.Q(number__contains=SUFFIX_SEPARATOR),
                name="order_with_place",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class Interaction(models.Model):
    """A call, a visit or a chat with a person."""

    pk = models.CompositePrimaryKey("customer_id", "reference")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, db_index=False)
    reference = models.TextField()
    kind = models.CharField(max_length=16)
    channel = models.CharField(max_length=32)
    direction = models.CharField(max_length=8, blank=True)
    status = models.CharField(max_length=16)
    staff = models.TextField(blank=True)
    started_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    details = models.JSONField(default=dict)
    version = models.BigIntegerField()

    def __str__(self) -> str:
        return self.reference


class PartyMember(models.Model):
    """One member of the customer's party: a guardian, a child without an account, a guest."""

    class Role(models.TextChoices):
        GUARDIAN = "guardian"
        CHILD = "child"
        GUEST = "guest"

    pk = models.CompositePrimaryKey("customer_id", "reference")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, db_index=False)
    reference = models.TextField()
    name = models.TextField(blank=True)
    role = models.CharField(max_length=16, choices=Role)
    birth_date = models.DateField(null=True)
    # The reference of the member who decides for a child; empty if the customer decides.
    guardian = models.TextField(blank=True)
    details = models.JSONField(default=dict)
    version = models.BigIntegerField()

    class Meta:
        indexes = [
            # Queries search birthdays by month and day, not by year.
            models.Index(
                ExtractMonth("birth_date"),
                ExtractDay("birth_date"),
                condition=models.Q(birth_date__isnull=False),
                name="party_member_birthday",
            )
        ]

    def __str__(self) -> str:
        return self.reference
