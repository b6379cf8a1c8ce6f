import uuid

from django.db import models


class Source(models.Model):
    name = models.CharField(max_length=100)
    key = models.CharField(max_length=64, unique=True)

    # DRF reads this attribute.
    is_authenticated = True

    def __str__(self) -> str:
        return self.name


class Customer(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    version = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.id)


class Identifier(models.Model):
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="identifiers")
    kind = models.CharField(max_length=32)
    value = models.CharField(max_length=255)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "value"], name="one_owner")]

    def __str__(self) -> str:
        return self.kind


class Trait(models.Model):
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="traits")
    name = models.CharField(max_length=100)
    value = models.JSONField(null=True)
    occurred_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "name"], name="one_value")]

    def __str__(self) -> str:
        return self.name


class Event(models.Model):
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="events")
    source = models.ForeignKey(Source, models.CASCADE)
    version = models.BigIntegerField()
    message_id = models.CharField(max_length=100)
    kind = models.CharField(max_length=16)
    name = models.CharField(max_length=255, blank=True)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField(auto_now_add=True)
    body = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "message_id"], name="one_effect"),
            models.UniqueConstraint(fields=["customer", "version"], name="one_place"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id}@{self.version}"


class Consent(models.Model):
    customer = models.ForeignKey(Customer, models.CASCADE)
    purpose = models.CharField(max_length=64)
    granted = models.BooleanField()

    def __str__(self) -> str:
        return self.purpose


class Preference(models.Model):
    customer = models.ForeignKey(Customer, models.CASCADE)
    name = models.CharField(max_length=64)
    value = models.JSONField(null=True)

    def __str__(self) -> str:
        return self.name


class Suppression(models.Model):
    address = models.CharField(max_length=255, unique=True)

    def __str__(self) -> str:
        return str(self.pk)


class Sent(models.Model):
    customer = models.ForeignKey(Customer, models.CASCADE)
    subject = models.CharField(max_length=255)
    at = models.DateTimeField()
    is_accepted = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.subject
