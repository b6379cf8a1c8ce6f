from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now

from customers.models.identifier import Identifier
from customers.models.login import User


class AddressChange(models.Model):
    """A change of a proved address that waits for three days, so that its holders can stop it.

    Notices go to the earlier and to the new address. Each has a link that freezes the change. Staff
    end a freeze, or the customer with a passkey that is older than the change.
    """

    class State(models.TextChoices):
        # A colleague asks for it, and a second one has not approved it yet.
        PROPOSED = "proposed"
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
    # The session or the source that asked for it, for staff.
    origin = models.CharField(max_length=300, blank=True, db_default="")
    # The login of the colleague who proposed it.
    proposer = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    # The language of the notices.
    language = models.CharField(max_length=10, default="en")
    requested_at = models.DateTimeField()
    # When the mail server accepted the notices. Without them the change does not take effect.
    notified_at = models.DateTimeField(null=True, blank=True)
    # The addresses that got a notice.
    notified_ids = ArrayField(models.BigIntegerField(), default=list, db_default=[])
    # Three days after the notices.
    effective_at = models.DateTimeField(null=True, blank=True)
    frozen_at = models.DateTimeField(null=True, blank=True)
    # The address whose link froze the change.
    frozen_by = models.ForeignKey(Identifier, on_delete=models.PROTECT, null=True, related_name="+")
    # When a passkey that is older than the change ended the freeze. The links stop it no more.
    released_at = models.DateTimeField(null=True, blank=True)
    # The colleague who approved a proposal, or the first of the two who let a change take effect. A
    # freeze ends the approval.
    approved_by = models.CharField(max_length=100, blank=True)
    approver = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=100, blank=True)
    # The evidence of each colleague, a line each, or why the change was not possible.
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
                condition=models.Q(
                    state__in=["proposed", "pending", "frozen", "applied", "cancelled"]
                ),
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
                condition=models.Q(state__in=["proposed", "pending", "frozen"]),
                name="address_change_open",
            ),
        ]

    def __str__(self) -> str:
        return f"address change #{self.pk}"


class AddressRefusal(models.Model):
    """The holder of an unconfirmed address said by the link of a message that it is not theirs."""

    kind = models.CharField(max_length=64)
    address = models.CharField(max_length=1024)
    # The accounts that named the address. Without an account: the identifiers of the record.
    holder_ids = ArrayField(models.BigIntegerField())
    # Without an account, orders that are placed later with the address are of its real holder.
    has_account = models.BooleanField()
    # The decisions that took the address off the accounts. Staff undo the refusal with them.
    decision_ids = ArrayField(models.BigIntegerField(), default=list)
    # The sources that named the address, which read the refusal and correct it.
    source_ids = ArrayField(models.IntegerField(), default=list)
    # The message with the link; null if the customer refused in a session.
    message_id = models.UUIDField(null=True, blank=True)
    refused_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["address"],
                condition=models.Q(undone_at__isnull=True),
                name="address_refusal_current",
            )
        ]

    def __str__(self) -> str:
        return f"address refusal #{self.pk}"
