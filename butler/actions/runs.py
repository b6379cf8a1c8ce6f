"""Advances many runs at once: reads their contexts, interprets each, writes their progress.

A batch costs the same few statements whatever its size, and is one transaction: decisions,
messages, tasks and the runs themselves are there together or not at all.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from uuid_utils.compat import uuid7

from butler import sql
from butler.automations import interpreter, run_context, versions
from butler.automations.excerpt import excerpt
from butler.automations.run_context import RunContext
from butler.automations.run_state import (
    EndedState,
    MessageDraft,
    RunDecision,
    RunMemory,
    RunProgress,
    RunSnapshot,
    StaffTaskDraft,
    WaitingState,
)
from butler.automations.versions import Version
from butler.decisions import store
from butler.decisions.inputs import company_zone, read_facts, rules, unknown_facts
from butler.decisions.store import DecisionRow
from butler.due import notify
from butler.due.queue import ClaimedDue
from butler.messages.render import value_paths
from butler.messages.templating import InvalidTemplate
from butler.models import Run as StoredRun
from butler.types import Contact, Facts, Gate, Rules
from customers import db
from customers.sql import json

_memory = msgspec.json.Decoder(RunMemory).decode
_cause = msgspec.json.Decoder(dict[str, Any]).decode


class _Held(NamedTuple):
    """One row of hold_runs.sql."""

    id: UUID
    version_id: int
    customer_id: UUID
    cause: Mapping[str, Any]
    occurred_at: datetime
    step: str
    due_id: int
    due_at: datetime
    memory: RunMemory
    has_awaited_event: bool
    is_message_seen: bool


class _Done(NamedTuple):
    """A run and what this look at it came to."""

    held: _Held
    version: Version
    context: RunContext | None
    progress: RunProgress


def advance(tasks: Sequence[ClaimedDue], now: datetime) -> None:
    """Take the runs of these due rows as far as they go."""
    held = _hold(tasks)
    of_versions = versions.read(one.version_id for one in held)
    found = run_context.read_run_contexts(held, now=now)
    facts = read_facts((one.customer_id for one in found.values()), now=now)
    law = rules()
    done = []
    for one in held:
        version, context = of_versions[one.version_id], found.get(one.id)
        if context is None:
            progress = _nobody(one, version, law)
        else:
            known = facts.get(context.customer_id) or unknown_facts(context.customer_id)
            snapshot = _snapshot(one, version, context, known)
            progress = interpreter.run(snapshot, law, now, company_zone())
        done.append(_Done(one, version, context, progress))
    _write(done, tasks, now)


def give_up(task: ClaimedDue, reason: str, now: datetime) -> None:
    """End a run that could not be taken on however often it was tried."""
    StoredRun.objects.filter(id=task.key, status=StoredRun.Status.WAITING).update(
        status=StoredRun.Status.FAILED, awaited="", reason=reason[:64], ended_at=now
    )


def _hold(tasks: Sequence[ClaimedDue]) -> list[_Held]:
    params = {
        "ids": [task.id for task in tasks],
        "untils": [task.claimed_until for task in tasks],
    }
    rows = sql.rows("hold_runs", params)
    return [
        _Held(id_, version, customer, _cause(cause), at, step, due, due_at, _memory(facts), *looks)
        for id_, version, customer, cause, at, step, due, due_at, facts, *looks in rows
    ]


def _snapshot(held: _Held, version: Version, context: RunContext, facts: Facts) -> RunSnapshot:
    return RunSnapshot(
        id=held.id,
        automation=version.automation_id,
        document=version.document,
        cause=held.cause,
        occurred_at=held.occurred_at,
        step=held.step,
        due_at=held.due_at,
        memory=held.memory,
        context=context.values,
        facts=facts,
        has_awaited_event=held.has_awaited_event,
        is_message_seen=held.is_message_seen,
    )


def _nobody(held: _Held, version: Version, law: Rules) -> RunProgress:
    """Return what there is to say where the record is gone: nothing."""
    document, at = version.document, held.occurred_at
    act = Contact(document.message_class, document.topic, "", at, at)
    gate = Gate("run", "integrity", "deny", "not_live")
    decision = RunDecision("skip", "not_live", act, [gate], rules_version=law.version)
    return RunProgress([decision], EndedState("cancelled", "not_live"))


# What it came to ------------------------------------------------------------------------


def _write(done: Sequence[_Done], tasks: Sequence[ClaimedDue], now: datetime) -> None:
    decisions: list[DecisionRow] = []
    messages: list[Mapping[str, object]] = []
    tasks_to_create: list[Mapping[str, object]] = []
    for one in done:
        for decision in one.progress.decisions:
            message_id = uuid7() if decision.message else None
            decisions.append(_decision_row(one, decision, message_id, now))
            if decision.message:
                messages.append(_message(one, decision.message, message_id))
            if decision.task:
                tasks_to_create.append(_task(one, decision.task))
    # None answers anything: each is on its way before the one before it is done.
    with db.pipeline():
        if messages:
            sql.run("write_messages", {"messages": json(messages), "now": now})
        if tasks_to_create:
            sql.run("write_tasks", {"tasks": json(tasks_to_create)})
        store.insert(decisions)
        _move(done, tasks, now)
    for channel in {str(message["channel"]) for message in messages}:
        notify.after_commit("channels.deliver", {"channel": channel})


def _decision_row(
    one: _Done, decision: RunDecision, message_id: UUID | None, now: datetime
) -> DecisionRow:
    return DecisionRow(
        id=uuid7(),
        customer_id=_customer(one),
        run_id=one.held.id,
        message_id=message_id,
        automation_id=one.version.automation_id,
        stage="judge",
        outcome=decision.outcome,
        code=decision.code,
        act=store.act_columns(decision.contact),
        gates=decision.gates,
        until=decision.until,
        customer_version=one.context.customer_version if one.context else 0,
        rules_version=decision.rules_version,
        decided_at=now,
    )


def _customer(one: _Done) -> UUID:
    return one.context.customer_id if one.context else one.held.customer_id


def _message(one: _Done, draft: MessageDraft, message_id: UUID | None) -> Mapping[str, object]:
    act, document = draft.contact, one.version.document
    return {
        "id": message_id,
        "key": f"{one.held.id}:{draft.step}:{draft.channel}",
        "customer_id": _customer(one),
        "run_id": one.held.id,
        "automation_id": one.version.automation_id,
        "version_id": one.version.id,
        "step": draft.texts_step,
        "channel": draft.channel,
        "message_class": act.message_class,
        "topic": act.topic,
        "purpose": act.purpose,
        "relation": act.relation,
        "priority": document.priority,
        "occurred_at": act.occurred_at,
        "expires_at": act.expires_at,
        "facts": _facts(one, draft.texts_step),
        "language": draft.language,
    }


def _facts(one: _Done, step: str) -> Mapping[str, object]:
    """Return what the words of a step are made of, as it is now, and no more."""
    values = one.context.values if one.context else {}
    try:
        return excerpt(values, _value_paths(one.version.id, step))
    except InvalidTemplate:
        # Then it fails when it is to leave, and says so.
        return values


@lru_cache(maxsize=512)
def _value_paths(version_id: int, step: str) -> frozenset[str]:
    return value_paths(versions.document_of(version_id), step)


def _task(one: _Done, draft: StaffTaskDraft) -> Mapping[str, object]:
    return {
        "id": uuid7(),
        "key": f"{one.held.id}:{draft.step}",
        "kind": "phone",
        "customer_id": _customer(one),
        "automation_id": one.version.automation_id,
        "title": draft.title[:200],
        "body": draft.body,
        "due_at": draft.due_at,
    }


def _move(done: Sequence[_Done], tasks: Sequence[ClaimedDue], now: datetime) -> None:
    advanced = {one.held.due_id for one in done}
    # Their runs ended meanwhile, or another process has them; the claim tells which.
    orphaned = [task for task in tasks if task.id not in advanced]
    params = {
        "runs": json([_new_state(one) for one in done]),
        "orphaned_due_ids": [task.id for task in orphaned],
        "claim_ends": [task.claimed_until for task in orphaned],
        "now": now,
    }
    sql.run("update_runs", params)


def _new_state(one: _Done) -> Mapping[str, object]:
    """Return the row of update_runs.sql for one run."""
    state = one.progress.state
    row: dict[str, object] = {"run_id": one.held.id, "due_id": one.held.due_id}
    if isinstance(state, WaitingState):
        return row | {
            "status": "waiting",
            "step": state.step,
            "awaited": state.awaited,
            "awaited_about": state.awaited_about,
            "reason": "",
            "due_at": state.due_at,
            "memory": state.memory,
        }
    return row | {
        "status": state.status,
        "step": one.held.step,
        "awaited": "",
        "awaited_about": "",
        "reason": state.reason,
        "due_at": None,
        "memory": None,
    }
