"""Advances many runs at once: reads their contexts, interprets each, writes their progress.

The number of statements does not depend on the size of a batch. A batch is one transaction:
decisions, messages, staff tasks and the runs are written together or not at all.
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


class _LockedRun(NamedTuple):
    """One row of lock_runs.sql."""

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


class _AdvancedRun(NamedTuple):
    """A run and the progress that it made."""

    run: _LockedRun
    version: Version
    context: RunContext | None
    progress: RunProgress


def advance(dues: Sequence[ClaimedDue], now: datetime) -> None:
    """Advance the runs of these due rows as far as they can go now."""
    runs = _lock_runs(dues)
    versions_by_id = versions.read(run.version_id for run in runs)
    contexts = run_context.read_run_contexts(runs, now=now)
    facts = read_facts((context.customer_id for context in contexts.values()), now=now)
    current_rules = rules()
    advanced_runs = []
    for run in runs:
        version, context = versions_by_id[run.version_id], contexts.get(run.id)
        if context is None:
            progress = _progress_without_record(run, version, current_rules)
        else:
            own_facts = facts.get(context.customer_id) or unknown_facts(context.customer_id)
            snapshot = _snapshot(run, version, context, own_facts)
            progress = interpreter.run(snapshot, current_rules, now, company_zone())
        advanced_runs.append(_AdvancedRun(run, version, context, progress))
    _write(advanced_runs, dues, now)


def give_up(due: ClaimedDue, reason: str, now: datetime) -> None:
    """End a run whose job failed too often."""
    StoredRun.objects.filter(id=due.key, status=StoredRun.Status.WAITING).update(
        status=StoredRun.Status.FAILED, awaited="", reason=reason[:64], ended_at=now
    )


def _lock_runs(dues: Sequence[ClaimedDue]) -> list[_LockedRun]:
    params = {
        "ids": [due.id for due in dues],
        "claim_ends": [due.claimed_until for due in dues],
    }
    rows = sql.rows("lock_runs", params)
    return [
        _LockedRun(
            id_, version, customer, _cause(cause), at, step, due, due_at, _memory(memory), *flags
        )
        for id_, version, customer, cause, at, step, due, due_at, memory, *flags in rows
    ]


def _snapshot(run: _LockedRun, version: Version, context: RunContext, facts: Facts) -> RunSnapshot:
    return RunSnapshot(
        id=run.id,
        automation=version.automation_id,
        document=version.document,
        cause=run.cause,
        occurred_at=run.occurred_at,
        step=run.step,
        due_at=run.due_at,
        memory=run.memory,
        context=context.values,
        facts=facts,
        has_awaited_event=run.has_awaited_event,
        is_message_seen=run.is_message_seen,
    )


def _progress_without_record(run: _LockedRun, version: Version, rules: Rules) -> RunProgress:
    """Return the progress of a run whose customer record is gone: it ends."""
    document, at = version.document, run.occurred_at
    act = Contact(document.message_class, document.topic, "", at, at)
    gate = Gate("run", "integrity", "deny", "not_live")
    decision = RunDecision("skip", "not_live", act, [gate], rules_version=rules.version)
    return RunProgress([decision], EndedState("cancelled", "not_live"))


# Writing the progress ---------------------------------------------------------------


def _write(
    advanced_runs: Sequence[_AdvancedRun], dues: Sequence[ClaimedDue], now: datetime
) -> None:
    decisions: list[DecisionRow] = []
    messages: list[Mapping[str, object]] = []
    tasks_to_create: list[Mapping[str, object]] = []
    for advanced in advanced_runs:
        for decision in advanced.progress.decisions:
            message_id = uuid7() if decision.message else None
            decisions.append(_decision_row(advanced, decision, message_id, now))
            if decision.message:
                messages.append(_message(advanced, decision.message, message_id))
            if decision.task:
                tasks_to_create.append(_staff_task(advanced, decision.task))
    # No statement returns rows, so each is sent before the one before it has ended.
    with db.pipeline():
        if messages:
            sql.run("insert_messages", {"messages": json(messages), "now": now})
        if tasks_to_create:
            sql.run("insert_staff_tasks", {"tasks": json(tasks_to_create)})
        store.insert(decisions)
        _update_runs(advanced_runs, dues, now)
    for channel in {str(message["channel"]) for message in messages}:
        notify.after_commit("channels.deliver", {"channel": channel})


def _decision_row(
    advanced: _AdvancedRun, decision: RunDecision, message_id: UUID | None, now: datetime
) -> DecisionRow:
    return DecisionRow(
        id=uuid7(),
        customer_id=_customer_id(advanced),
        run_id=advanced.run.id,
        message_id=message_id,
        automation_id=advanced.version.automation_id,
        stage="judge",
        outcome=decision.outcome,
        code=decision.code,
        act=store.act_columns(decision.contact),
        gates=decision.gates,
        until=decision.until,
        customer_version=advanced.context.customer_version if advanced.context else 0,
        rules_version=decision.rules_version,
        decided_at=now,
    )


def _customer_id(advanced: _AdvancedRun) -> UUID:
    return advanced.context.customer_id if advanced.context else advanced.run.customer_id


def _message(
    advanced: _AdvancedRun, draft: MessageDraft, message_id: UUID | None
) -> Mapping[str, object]:
    act, document = draft.contact, advanced.version.document
    return {
        "id": message_id,
        "key": f"{advanced.run.id}:{draft.step}:{draft.channel}",
        "customer_id": _customer_id(advanced),
        "run_id": advanced.run.id,
        "automation_id": advanced.version.automation_id,
        "version_id": advanced.version.id,
        "step": draft.texts_step,
        "channel": draft.channel,
        "message_class": act.message_class,
        "topic": act.topic,
        "purpose": act.purpose,
        "relation": act.relation,
        "priority": document.priority,
        "occurred_at": act.occurred_at,
        "expires_at": act.expires_at,
        "facts": _values(advanced, draft.texts_step),
        "language": draft.language,
    }


def _values(advanced: _AdvancedRun, step: str) -> Mapping[str, object]:
    """Return the values that the texts of a step use, as they are now."""
    values = advanced.context.values if advanced.context else {}
    try:
        return excerpt(values, _value_paths(advanced.version.id, step))
    except InvalidTemplate:
        # The message fails when it is rendered, with a reason.
        return values


@lru_cache(maxsize=512)
def _value_paths(version_id: int, step: str) -> frozenset[str]:
    return value_paths(versions.document_of(version_id), step)


def _staff_task(advanced: _AdvancedRun, draft: StaffTaskDraft) -> Mapping[str, object]:
    return {
        "id": uuid7(),
        "key": f"{advanced.run.id}:{draft.step}",
        "kind": "phone",
        "customer_id": _customer_id(advanced),
        "automation_id": advanced.version.automation_id,
        "title": draft.title[:200],
        "body": draft.body,
        "due_at": draft.due_at,
    }


def _update_runs(
    advanced_runs: Sequence[_AdvancedRun], dues: Sequence[ClaimedDue], now: datetime
) -> None:
    due_ids = {advanced.run.due_id for advanced in advanced_runs}
    # Their runs ended meanwhile, or another process has claimed them.
    orphaned = [due for due in dues if due.id not in due_ids]
    params = {
        "runs": json([_new_state(advanced) for advanced in advanced_runs]),
        "orphaned_due_ids": [due.id for due in orphaned],
        "claim_ends": [due.claimed_until for due in orphaned],
        "now": now,
    }
    sql.run("update_runs", params)


def _new_state(advanced: _AdvancedRun) -> Mapping[str, object]:
    """Return the row of update_runs.sql for one run."""
    state = advanced.progress.state
    row: dict[str, object] = {"run_id": advanced.run.id, "due_id": advanced.run.due_id}
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
        "step": advanced.run.step,
        "awaited": "",
        "awaited_about": "",
        "reason": state.reason,
        "due_at": None,
        "memory": None,
    }
