"""Decides which events of a batch are new, and collects the outcome of each event."""

from collections.abc import Iterable, Mapping, Sequence, Sized
from uuid import UUID

from customers.events import quarantine
from customers.events.stored_messages import StoredMessage
from customers.fault_isolation import UNREADABLE
from customers.types import (
    ERASED,
    IncomingEvent,
    IngestedBatch,
    IngestOutcome,
    IngestWarning,
    RejectedItem,
    Sender,
)


class BatchOutcomes:
    """The outcomes of the events of a batch, and the items that go to quarantine."""

    def __init__(self, sender: Sender, events: Sequence[IncomingEvent]) -> None:
        self.sender = sender
        self.events = events
        self.outcomes: list[IngestOutcome | None] = [None] * len(events)
        self.quarantined: list[RejectedItem] = []

    def refuse_erased(self, places: Iterable[int]) -> None:
        """Write the outcome of events about an erased customer. Nothing of them is stored."""
        for i in places:
            self.outcomes[i] = IngestOutcome(ERASED, reason=ERASED)

    def erased_warnings(self, items: int) -> list[IngestWarning]:
        """Return the warning about events of an erased customer. It names none of them.

        items: the number of items about an erased customer that could not become events
        """
        count = items + sum(
            outcome is not None and outcome.status == ERASED for outcome in self.outcomes
        )
        return [IngestWarning(ERASED, count, "")] if count and not self.sender.is_public else []

    def select_new(
        self,
        message_keys: Sequence[str],
        identifiers: Sequence[Sized],
        stored: dict[str, StoredMessage],
        faults: Mapping[str, str],
    ) -> list[int]:
        """Return the positions of the new, valid events; write the outcomes of the other events.

        identifiers: the usable identifiers of each event
        stored: the messages that are on a log, by message key; this method adds the new ones
        faults: the reasons why events cannot be folded, by message key
        """
        new = []
        for i, (event, key) in enumerate(zip(self.events, message_keys, strict=True)):
            if self.outcomes[i]:
                continue
            body_hash = event.body_hash.hex()
            if before := stored.get(key):
                self._repeat(i, event, before[1] if before[0] == body_hash else None)
            elif not identifiers[i]:
                detail = "the event has no usable identifier of a customer"
                self._quarantine(i, event, "no_identifier", detail)
            elif fault := faults.get(key):
                quarantine.log_fault(self.sender, UNREADABLE, fault)
                self._quarantine(i, event, UNREADABLE, fault)
            else:
                stored[key] = body_hash, IngestOutcome("duplicate")
                new.append(i)
        return new

    def _repeat(self, i: int, event: IncomingEvent, same: IngestOutcome | None) -> None:
        if same:
            self.outcomes[i] = same
        else:
            detail = "another event with other content has this message id"
            self._quarantine(i, event, "other_content", detail)

    def _quarantine(self, i: int, event: IncomingEvent, reason: str, detail: str) -> None:
        self.quarantined.append(RejectedItem(event.body, reason, detail, event.message_id))
        if reason == "other_content":
            self.outcomes[i] = IngestOutcome("other_content", reason=reason)
        else:
            self.outcomes[i] = IngestOutcome("quarantined", reason=reason)

    def accept(self, i: int, customer_id: UUID, version: int) -> None:
        """Write the outcome of event number i: its customer and its version on the log."""
        self.outcomes[i] = IngestOutcome("accepted", customer_id, version)

    def batch(self, rejected: int) -> IngestedBatch:
        """Return the batch, once every event has its outcome."""
        outcomes = [outcome for outcome in self.outcomes if outcome is not None]
        return IngestedBatch(outcomes, rejected)
