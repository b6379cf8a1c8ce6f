"""Writes the progress of runs: decisions, messages, staff tasks and the new states of the runs."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from uuid_utils.compat import uuid7

from butler import sql
from butler.automations import versions
from butler.automations.excerpt import excerpt
from butler.automations.run_context import RunContext
from butler.automations.run_state import (
    MessageDraft,
    RunDecision,
    RunMemory,
    RunProgress,
    StaffTaskDraft,
    WaitingState,
)
from butler.automations.versions import LoadedVersion
from butler.decisions import store
from butler.decisions.store import DecisionRow
from butler.due import notify
from butler.due.queue import ClaimedDue
from butler.messages.render import value_paths
from butler.messages.templating import InvalidTemplate
from customers import db
from customers.sql import json


class LockedRun(NamedTuple):
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


class AdvancedRun(NamedTuple):
    """A run and the progress that it made."""

    run: LockedRun
    version: LoadedVersion
    context: RunContext | None
    progress: RunProgress


class _ProgressRows(NamedTuple):
    """The rows that the runs of a batch add."""

    decisions: list[DecisionRow]
    messages: list[Mapping[str, object]]
    staff_tasks: list[Mapping[str, object]]


def write_progress(
    advanced_runs: Sequence[AdvancedRun], dues: Sequence[ClaimedDue], now: datetime
) -> None:
    """Write the progress of these runs in the open transaction; `dues` are all claimed rows."""
    rows = _progress_rows(advanced_runs, now)
    # No statement returns rows, so the pipeline sends them without waiting.
    with db.pipeline():
        if rows.messages:
            sql.run("insert_messages", {"messages": json(rows.messages), "now": now})
        if rows.staff_tasks:
            sql.run("insert_staff_tasks", {"tasks": json(rows.staff_tasks)})
        store.insert(rows.decisions)
        _update_runs(advanced_runs, dues, now)
    for channel in {str(message["channel"]) for message in rows.messages}:
        notify.after_commit("channels.deliver", {"channel": channel})


def _progress_rows(advanced_runs: Sequence[AdvancedRun], now: datetime) -> _ProgressRows:
    rows = _ProgressRows([], [], [])
    for advanced in advanced_runs:
        for decision in advanced.progress.decisions:
            message_id = uuid7() if decision.message else None
            rows.decisions.append(_decision_row(advanced, decision, message_id, now))
            if decision.message:
                rows.messages.append(_message(advanced, decision.message, message_id))
            if decision.task:
                rows.staff_tasks.append(_staff_task(advanced, decision.task))
    return rows


def _decision_row(
    advanced: AdvancedRun, decision: RunDecision, message_id: UUID | None, now: datetime
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


def _customer_id(advanced: AdvancedRun) -> UUID:
    return advanced.context.customer_id if advanced.context else advanced.run.customer_id


def _message(
    advanced: AdvancedRun, draft: MessageDraft, message_id: UUID | None
) -> Mapping[str, object]:
    contact, document = draft.contact, advanced.version.document
    return {
        "id": message_id,
        "key": f"{advanced.run.id}:{draft.step}:{draft.channel}",
        "customer_id": _customer_id(advanced),
        "run_id": advanced.run.id,
        "automation_id": advanced.version.automation_id,
        "version_id": advanced.version.id,
        "step": draft.texts_step,
        "channel": draft.channel,
        "message_class": contact.message_class,
        "topic": contact.topic,
        "purpose": contact.purpose,
        "relation": contact.relation,
        "priority": document.priority,
        "occurred_at": contact.occurred_at,
        "expires_at": contact.expires_at,
        "facts": _values(advanced, draft.texts_step),
        "language": draft.language,
    }


def _values(advanced: AdvancedRun, step: str) -> Mapping[str, object]:
    """Return the current values that the texts of a step use."""
    values = advanced.context.values if advanced.context else {}
    try:
        return excerpt(values, _value_paths(advanced.version.id, step))
    except InvalidTemplate:
        # Rendering this message fails later, with a reason.
        return values


@lru_cache(maxsize=512)
def _value_paths(version_id: int, step: str) -> frozenset[str]:
    return value_paths(versions.document_of(version_id), step)


def _staff_task(advanced: AdvancedRun, draft: StaffTaskDraft) -> Mapping[str, object]:
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
    advanced_runs: Sequence[AdvancedRun], dues: Sequence[ClaimedDue], now: datetime
) -> None:
    due_ids = {advanced.run.due_id for advanced in advanced_runs}
    # The runs of these rows have ended, or another process has claimed the rows.
    orphaned = [due for due in dues if due.id not in due_ids]
    params = {
        "runs": json([_new_state(advanced) for advanced in advanced_runs]),
        "orphaned_due_ids": [due.id for due in orphaned],
        "claim_ends": [due.claimed_until for due in orphaned],
        "now": now,
    }
    sql.run("update_runs", params)


def _new_state(advanced: AdvancedRun) -> Mapping[str, object]:
    """Return the row of update_runs.sql for one run."""
    state = advanced.progress.state
    row: dict[str, object] = {"run_id": advanced.run.id, "due_id": advanced.run.due_id}
    if isinstance(state, WaitingState):
        return row | _waiting_columns(state)
    return row | {
        "status": state.status,
        "step": advanced.run.step,
        "awaited": "",
        "awaited_about": "",
        "reason": state.reason,
        "due_at": None,
        "memory": None,
    }


def _waiting_columns(state: WaitingState) -> dict[str, object]:
    return {
        "status": "waiting",
        "step": state.step,
        "awaited": state.awaited,
        "awaited_about": state.awaited_about,
        "reason": "",
        "due_at": state.due_at,
        "memory": state.memory,
    }
