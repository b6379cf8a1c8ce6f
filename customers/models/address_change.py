from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now

from customers.models.identifier import Identifier


class AddressChange(models.Model):
    """A change of a proved address that waits for three days, so that its holders can stop it.

    Notices go to the earlier and to the new address. Each has a link that freezes the change. Staff
    end a freeze, or the customer with a passkey that is older than the change.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        FROZEN = "frozen"
        APPLIED = "applied"
        # The customer or staff stopped it, or it was not possible any more.
        CANCELLED = "cancelled"

    # The accounts that get or lose the address; without an account, a mailbox of the record.
    holder_ids = ArrayField(models.BigIntegerField())
    # At least one of them. With both, the added address replaces the removed one.
    added = models.ForeignKey(Identifier, on_delete=models.PROTECT, null=True, related_name="+")
    removed = models.ForeignKey(Identifier, on_delete=models.PROTECT, null=True, related_name="+")
    state = models.CharField(max_length=9, choices=State, default=State.PENDING)
    # "customer", "source", or the name of a colleague.
    actor = models.CharField(max_length=100)
    # The language of the notices.
    language = models.CharField(max_length=10, default="en")
    requested_at = models.DateTimeField()
    # When the mail server accepted the notices. Without them the change does not take effect.
    notified_at = models.DateTimeField(null=True, blank=True)
    # Three days after the notices.
    effective_at = models.DateTimeField(null=True, blank=True)
    frozen_at = models.DateTimeField(null=True, blank=True)
    # The address whose link froze the change.
    frozen_by = models.ForeignKey(Identifier, on_delete=models.PROTECT, null=True, related_name="+")
    # When a passkey that is older than the change ended the freeze. The links stop it no more.
    released_at = models.DateTimeField(null=True, blank=True)
    # The first of the two colleagues who let a frozen change take effect, with the evidence.
    approved_by = models.CharField(max_length=100, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=100, blank=True)
    reason = models.TextField(blank=True)
    # The next attempt waits until then, after an error or without a mail server.
    retry_at = models.DateTimeField(null=True, blank=True)
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(added__isnull=False) | models.Q(removed__isnull=False),
                name="address_change_names_an_address",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["pending", "frozen", "applied", "cancelled"]),
                name="address_change_state_is_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"], condition=models.Q(state="pending"), name="address_change_pending"
            ),
            # The open changes of an account.
            GinIndex(
                fields=["holder_ids"],
                condition=models.Q(state__in=["pending", "frozen"]),
                name="address_change_open",
            ),
        ]

    def __str__(self) -> str:
        return f"address change #{self.pk}"
