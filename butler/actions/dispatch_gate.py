"""The gate: decides again in the very transaction that lets a message go.

While it runs, the customers concerned are held: a withdrawal is committed before, and then it
is seen here, or after, and then it finds the attempt that is written here and waits for it.
Nothing is sent by this module; what it returns may leave until its lease ends.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec
from django.db import transaction
from uuid_utils.compat import uuid7

from butler import sql
from butler.actions import staff_tasks
from butler.automations import versions
from butler.decisions import store
from butler.decisions.decide import decide
from butler.decisions.inputs import read_facts, rules
from butler.failpoints import failpoint
from butler.messages.render import NotRenderable, render_stored
from butler.types import Contact, Decision, Facts, RenderedMessage, Rules
from customers import db
from customers.sql import json

# Ends that a message comes to without having left; everything else that is denied is
# suppressed, by the customer's will or because nothing allows it.
_ENDS = {"expired": "expired", "stale": "expired", "late_event": "expired"}

# How soon a person is to say what the butler may not.
_SOON = timedelta(hours=1)

type Links = Callable[["Waiting"], Mapping[str, str]]


class Waiting(NamedTuple):
    """One message that waits: the columns of claim_messages.sql."""

    id: UUID
    customer_id: UUID
    key: str
    run_id: UUID | None
    automation_id: str
    version_id: int | None
    step: str
    message_class: str
    topic: str
    purpose: str
    relation: str
    occurred_at: datetime
    expires_at: datetime
    created_at: datetime
    attempts: int
    facts: str


class Leaving(msgspec.Struct, frozen=True):
    """One message that may leave now, in the words it leaves with."""

    message: UUID
    delivery: UUID
    number: int
    customer: UUID
    version: int
    takes: tuple[tuple[str, str], ...]
    language: str
    address: str
    subject: str
    text: str


class _Staying(msgspec.Struct, frozen=True):
    message: UUID
    state: str
    reason: str
    not_before: datetime | None = None


class Claimed(NamedTuple):
    """What one claim came to; both counts zero mean that nothing waits."""

    leaving: Sequence[Leaving]
    waiting: Mapping[UUID, Waiting]
    # By message. Not stored: it can be made again from the version and the facts, and is ten
    # times as long as everything else.
    html: Mapping[UUID, str]
    looked_at: int
    # They wait, but somebody has their customers in hand, which takes a moment.
    held_back: int = 0


def claim(
    *, channel: str, provider: str, now: datetime, most: int, lease: float, links: Links
) -> Claimed:
    """Take messages that may leave through this channel, for `lease` seconds.

    Messages that may not are ended or put off, each with a decision that says why. A constant
    number of statements, whatever `most` is.
    """
    with transaction.atomic():
        params = {"channel": channel, "now": now, "most": most}
        waiting = [Waiting(*row) for row in sql.rows("claim_messages", params)]
        held = _hold({one.customer_id for one in waiting})
        taken = [one for one in waiting if one.customer_id in held]
        if not taken:
            return Claimed((), {}, {}, 0, held_back=len(waiting))
        judged = _Gate(channel, now, links)
        judged.judge(taken)
        params = {
            "seconds": lease,
            "channel": channel,
            "provider": provider,
            "now": now,
            "leaving": json(judged.leaving),
            "staying": json(judged.staying),
        }
        # Neither answers anything: both are on their way before the first is done.
        with db.pipeline():
            sql.run("write_claims", params)
            store.keep(judged.verdicts)
        failpoint("in claim")
    by_id = {one.id: one for one in taken}
    return Claimed(judged.leaving, by_id, judged.html, len(taken))


def _hold(ids: set[UUID]) -> set[UUID]:
    if not ids:
        return set()
    return {id_ for (id_,) in sql.rows("hold_customers", {"ids": sorted(ids)})}


class _Gate:
    """Judges the messages of one claim, one after the other; budgets run out on the way."""

    def __init__(self, channel: str, now: datetime, links: Links) -> None:
        self.channel = channel
        self.now = now
        self.links = links
        self.leaving: list[Leaving] = []
        self.html: dict[UUID, str] = {}
        self.staying: list[_Staying] = []
        self.verdicts: list[store.Verdict] = []

    def judge(self, waiting: Sequence[Waiting]) -> None:
        facts = read_facts({one.customer_id for one in waiting}, now=self.now)
        company = rules()
        for one in waiting:
            act = contact(one, self.channel)
            known = facts.get(one.customer_id, _nobody(one.customer_id))
            decision = decide(act, known, company, self.now)
            self._note(one, act, decision)
            if decision.effect != "allow":
                self._keep_back(one, decision)
            elif decision.route_to == "person":
                self._hand_to_person(one, decision)
            else:
                facts[one.customer_id] = self._let_go(one, known, decision, company)

    def _note(self, one: Waiting, act: Contact, decision: Decision) -> None:
        self.verdicts.append(
            store.verdict(
                decision,
                act,
                customer_id=one.customer_id,
                stage="claim",
                now=self.now,
                run_id=one.run_id,
                message_id=one.id,
            )
        )

    def _let_go(self, one: Waiting, facts: Facts, decision: Decision, company: Rules) -> Facts:
        """Put the message into words; return the facts with its budgets used."""
        try:
            rendered = self._render(one, decision.language)
        except NotRenderable as error:
            self.staying.append(_Staying(one.id, "failed", error.reason))
            return facts
        address = (facts.addresses or {}).get(self.channel)
        self.leaving.append(
            Leaving(
                message=one.id,
                delivery=uuid7(),
                number=one.attempts + 1,
                customer=one.customer_id,
                version=decision.customer_version,
                takes=decision.takes,
                language=rendered.language,
                address=address.value if address else "",
                subject=rendered.subject,
                text=rendered.text,
            )
        )
        self.html[one.id] = rendered.html
        return _used(facts, decision)

    def _render(self, one: Waiting, language: str) -> RenderedMessage:
        return render_stored(
            versions.document_of(one.version_id) if one.version_id else None,
            step=one.step,
            channel=self.channel,
            facts=msgspec.json.decode(one.facts),
            language=language,
            links=self.links(one),
        )

    def _hand_to_person(self, one: Waiting, decision: Decision) -> None:
        """Ask a colleague instead: the customer wished for a person since it was judged."""
        try:
            rendered = self._render(one, decision.language)
        except NotRenderable as error:
            self.staying.append(_Staying(one.id, "failed", error.reason))
            return
        staff_tasks.ask(
            key=f"claim:{one.key}"[:200],
            kind="phone",
            customer_id=one.customer_id,
            title=rendered.subject,
            body=rendered.text,
            due_at=self.now + _SOON,
            automation_id=one.automation_id,
        )
        self.staying.append(_Staying(one.id, "suppressed", decision.code))

    def _keep_back(self, one: Waiting, decision: Decision) -> None:
        if decision.effect == "defer":
            state, until = "queued", decision.until
        else:
            state, until = _ENDS.get(decision.code, "suppressed"), None
        self.staying.append(_Staying(one.id, state, decision.code, until))


def contact(one: Waiting, channel: str) -> Contact:
    """Return what sending this message would be."""
    return Contact(
        message_class=one.message_class,
        topic=one.topic,
        channel=channel,
        occurred_at=one.occurred_at,
        expires_at=one.expires_at,
        purpose=one.purpose,
        relation=one.relation,
        automation=one.automation_id,
    )


def _nobody(customer_id: UUID) -> Facts:
    """Return the facts of somebody of whom nothing can be read: every answer is no."""
    return Facts(str(customer_id), None, None, None, None, None, None, None, None)


def _used(facts: Facts, decision: Decision) -> Facts:
    if not decision.takes:
        return facts
    used = dict(facts.used or {})
    for scope, window in decision.takes:
        used[f"{scope}|{window}"] = used.get(f"{scope}|{window}", 0) + 1
    return msgspec.structs.replace(facts, used=used)
