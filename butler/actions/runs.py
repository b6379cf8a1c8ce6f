"""Advances a batch of runs: reads their contexts, interprets each run, writes their progress.

The number of statements does not depend on the size of the batch. A batch is one transaction,
so decisions, messages, staff tasks and runs are written together or not at all.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from butler import sql
from butler.actions.run_progress import AdvancedRun, LockedRun, write_progress
from butler.automations import interpreter, run_context, versions
from butler.automations.run_context import RunContext
from butler.automations.run_state import (
    EndedState,
    RunDecision,
    RunMemory,
    RunProgress,
    RunSnapshot,
)
from butler.automations.versions import LoadedVersion
from butler.decisions.inputs import company_zone, read_facts, rules, unknown_facts
from butler.due.queue import ClaimedDue
from butler.models import Run as StoredRun
from butler.types import Contact, Facts, Gate, Rules

_memory = msgspec.json.Decoder(RunMemory).decode
_cause = msgspec.json.Decoder(dict[str, Any]).decode


def advance(dues: Sequence[ClaimedDue], now: datetime) -> None:
    """Advance the runs of these due rows until each run waits or ends."""
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
        advanced_runs.append(AdvancedRun(run, version, context, progress))
    write_progress(advanced_runs, dues, now)


def give_up(due: ClaimedDue, reason: str, now: datetime) -> None:
    """Set the run of a due row to failed, after the last attempt of its job."""
    StoredRun.objects.filter(id=due.key, status=StoredRun.Status.WAITING).update(
        status=StoredRun.Status.FAILED, awaited="", reason=reason[:64], ended_at=now
    )


def _lock_runs(dues: Sequence[ClaimedDue]) -> list[LockedRun]:
    params = {
        "ids": [due.id for due in dues],
        "claim_ends": [due.claimed_until for due in dues],
    }
    rows = sql.rows("lock_runs", params)
    return [
        LockedRun(
            id_, version, customer, _cause(cause), at, step, due, due_at, _memory(memory), *flags
        )
        for id_, version, customer, cause, at, step, due, due_at, memory, *flags in rows
    ]


def _snapshot(
    run: LockedRun, version: LoadedVersion, context: RunContext, facts: Facts
) -> RunSnapshot:
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


def _progress_without_record(run: LockedRun, version: LoadedVersion, rules: Rules) -> RunProgress:
    """Return the progress of a run whose customer record does not exist: the run is cancelled."""
    document, at = version.document, run.occurred_at
    contact = Contact(document.message_class, document.topic, "", at, at)
    gate = Gate(gate="run", layer="integrity", verdict="deny", code="not_live")
    decision = RunDecision("skip", "not_live", contact, [gate], rules_version=rules.version)
    return RunProgress([decision], EndedState("cancelled", "not_live"))
