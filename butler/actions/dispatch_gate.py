"""Decides again about each queued message, in the transaction that claims it for sending.

The transaction locks the customers. A withdrawal that commits before the lock is read here. A
withdrawal that commits later finds the delivery that this module wrote, and waits for it. This
module does not send: the caller may send the returned messages until their lease ends.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from django.db import transaction
from uuid_utils.compat import uuid7

from butler import sql
from butler.actions import staff_tasks
from butler.actions.claimed_messages import (
    Claimed,
    LinkFactory,
    OutgoingMessage,
    QueuedMessage,
    contact_of,
)
from butler.automations import versions
from butler.decisions import store
from butler.decisions.decide import decide
from butler.decisions.inputs import read_facts, rules, unknown_facts
from butler.failpoints import failpoint
from butler.messages import refusal_links
from butler.messages.render import NotRenderable, render_stored
from butler.types import (
    CLASSES_BY_RELATION,
    Address,
    Contact,
    DecisionResult,
    Facts,
    RenderedMessage,
)
from customers import db
from customers.sql import json

# The state of a denied message by its code; for all other codes it is suppressed.
_DENIED_STATES = {"expired": "expired", "stale": "expired", "late_event": "expired"}

# The time until a staff task that replaces a message is due.
_TASK_DUE_IN = timedelta(hours=1)


class _StateChange(msgspec.Struct, frozen=True):
    """The new state of a message that may not be sent now."""

    message_id: UUID
    state: str
    reason: str
    not_before: datetime | None = None


def claim(
    *, channel: str, provider: str, now: datetime, limit: int, lease: float, links: LinkFactory
) -> Claimed:
    """Claim messages that may be sent through this channel, for `lease` seconds.

    Messages that may not be sent now get a new state and a decision with the reason. The number
    of statements does not depend on `limit`.
    """
    with transaction.atomic():
        params = {"channel": channel, "now": now, "limit": limit}
        queued = [QueuedMessage(*row) for row in sql.rows("claim_messages", params)]
        locked_ids = _lock_customers({message.customer_id for message in queued})
        messages = [message for message in queued if message.customer_id in locked_ids]
        if not messages:
            return Claimed((), {}, {}, 0, skipped_count=len(queued))
        gate = _DispatchGate(channel, now, links)
        gate.decide_all(messages)
        gate.write_claims(provider, lease)
        failpoint("in claim")
    by_id = {message.id: message for message in messages}
    return Claimed(gate.outgoing, by_id, gate.html, len(messages))


def _lock_customers(ids: set[UUID]) -> set[UUID]:
    if not ids:
        return set()
    return {id_ for (id_,) in sql.rows("lock_customers", {"ids": sorted(ids)})}


class _DispatchGate:
    """Decides about the messages of one claim in order, and counts each in its budgets."""

    def __init__(self, channel: str, now: datetime, links: LinkFactory) -> None:
        self.channel = channel
        self.now = now
        self.links = links
        self.outgoing: list[OutgoingMessage] = []
        self.html: dict[UUID, str] = {}
        self.state_changes: list[_StateChange] = []
        self.decisions: list[store.DecisionRow] = []

    def decide_all(self, messages: Sequence[QueuedMessage]) -> None:
        """Decide about each message; collect messages to send, state changes and decisions."""
        facts = read_facts({message.customer_id for message in messages}, now=self.now)
        current_rules = rules()
        for message in messages:
            contact = contact_of(message, self.channel)
            own_facts = facts.get(message.customer_id, unknown_facts(message.customer_id))
            decision = decide(contact, own_facts, current_rules, self.now)
            self._add_decision(message, contact, decision)
            if decision.effect != "allow":
                self._change_state(message, decision)
            elif decision.route_to == "person":
                self._hand_to_person(message, decision)
            else:
                facts[message.customer_id] = self._send(message, own_facts, decision)

    def write_claims(self, provider: str, lease: float) -> None:
        """Write the deliveries, the new states of the unsent messages, and all decisions."""
        params = {
            "seconds": lease,
            "channel": self.channel,
            "provider": provider,
            "now": self.now,
            "outgoing": json(self.outgoing),
            "state_changes": json(self.state_changes),
        }
        # Neither statement returns rows, so the pipeline sends both without waiting.
        with db.pipeline():
            sql.run("write_claims", params)
            store.insert(self.decisions)

    def _add_decision(
        self, message: QueuedMessage, contact: Contact, decision: DecisionResult
    ) -> None:
        self.decisions.append(
            store.decision_row(
                decision,
                contact,
                customer_id=message.customer_id,
                stage="claim",
                now=self.now,
                run_id=message.run_id,
                message_id=message.id,
            )
        )

    def _send(self, message: QueuedMessage, facts: Facts, decision: DecisionResult) -> Facts:
        """Render the message; return the facts with its budgets used."""
        address = facts.find_address(contact_of(message, self.channel))
        try:
            rendered = self._render(message, decision.language, address)
        except NotRenderable as error:
            self.state_changes.append(_StateChange(message.id, "failed", error.reason))
            return facts
        to = address.value if address else ""
        self.outgoing.append(_outgoing_message(message, rendered, to, decision))
        self.html[message.id] = rendered.html
        return _with_used_budgets(facts, decision)

    def _render(
        self, message: QueuedMessage, language: str, address: Address | None = None
    ) -> RenderedMessage:
        return render_stored(
            versions.document_of(message.version_id) if message.version_id else None,
            step=message.step,
            channel=self.channel,
            context=msgspec.json.decode(message.context),
            language=language,
            links={**self.links(message), **_refusal_link(message, address)},
        )

    def _hand_to_person(self, message: QueuedMessage, decision: DecisionResult) -> None:
        """Create a staff task instead: the customer set "person first" after it was queued."""
        try:
            rendered = self._render(message, decision.language)
        except NotRenderable as error:
            self.state_changes.append(_StateChange(message.id, "failed", error.reason))
            return
        staff_tasks.create(
            key=f"claim:{message.key}"[:200],
            kind="phone",
            customer_id=message.customer_id,
            title=rendered.subject,
            body=rendered.text,
            due_at=self.now + _TASK_DUE_IN,
            automation_id=message.automation_id,
        )
        self.state_changes.append(_StateChange(message.id, "suppressed", decision.code))

    def _change_state(self, message: QueuedMessage, decision: DecisionResult) -> None:
        if decision.effect == "defer":
            state, until = "queued", decision.until
        else:
            state, until = _DENIED_STATES.get(decision.code, "suppressed"), None
        self.state_changes.append(_StateChange(message.id, state, decision.code, until))


def _refusal_link(message: QueuedMessage, address: Address | None) -> dict[str, str]:
    """Return the link "Not mine" of a service message to an address that nobody confirmed."""
    is_service = message.message_class in CLASSES_BY_RELATION
    if address is None or address.is_confirmed or not is_service:
        return {}
    return {"not_mine": refusal_links.url(message.id, address.value)}


def _outgoing_message(
    message: QueuedMessage, rendered: RenderedMessage, address: str, decision: DecisionResult
) -> OutgoingMessage:
    return OutgoingMessage(
        message_id=message.id,
        delivery_id=uuid7(),
        number=message.attempts + 1,
        customer_id=message.customer_id,
        customer_version=decision.customer_version,
        budget_windows=decision.budget_windows,
        language=rendered.language,
        address=address,
        subject=rendered.subject,
        text=rendered.text,
    )


def _with_used_budgets(facts: Facts, decision: DecisionResult) -> Facts:
    if not decision.budget_windows:
        return facts
    used = dict(facts.used or {})
    for scope, window in decision.budget_windows:
        used[f"{scope}|{window}"] = used.get(f"{scope}|{window}", 0) + 1
    return msgspec.structs.replace(facts, used=used)
