"""Parameters for the butler's statements that change rows."""

from bench.plans.ids import LATER, NOW, Params, json, serial, serials, uuid, uuids

_CLAIM_END = NOW.replace(hour=13, minute=0)
_NUMBERS = range(1, 21)
_STARTS = [
    {
        "run_id": uuid("new run", number),
        "decision_id": uuid("new decision", number),
        "version_id": serial(1),
        "customer_id": uuid("customer", number % 15),
        # Some occasions already have a run, and some are in the batch twice.
        "occasion": str(number % 15 if number % 2 else number % 6),
        "occurred_at": NOW,
        "cause": {"about": "", "number": number}
        | ({"gathered": [number]} if number % 3 == 0 else {}),
        "due_at": LATER,
        "step": "0",
        "awaited": "",
        "awaited_about": "",
        "is_late": number % 5 == 0,
        "is_kept_when_late": number % 2 == 0,
        "customer_version": 1,
    }
    for number in _NUMBERS
]
_REFUSED_RUNS: Params = {
    "version": serial(1),
    "occasion": "refused",
    "cause": "{}",
    "now": NOW,
    "rules_version": "",
    "decision_ids": uuids("new decision"),
    "run_ids": uuids("new run"),
    "customer_ids": uuids("customer"),
    "due_times": [NOW] * 20,
    "refusals": [number % 2 for number in _NUMBERS],
    "choices": [0] * 20,
    "reasons": json(
        [
            {"refusal": refusal, "choice": 0, "code": "", "act": {}, "gates": []}
            for refusal in (0, 1)
        ]
    ),
}
_MESSAGES = [
    {
        "id": uuid("new message", number),
        # Some are queued already.
        "key": f"new {number}" if number % 2 else str(number),
        "customer_id": uuid("customer", number),
        "run_id": uuid("run", number),
        "automation_id": "offers",
        "version_id": serial(1),
        "step": "0",
        "channel": "email",
        "message_class": "marketing",
        "topic": "offers",
        "purpose": "offers",
        "relation": "",
        "priority": 5,
        "occurred_at": NOW,
        "expires_at": LATER,
        "facts": {},
        "language": "nl",
    }
    for number in _NUMBERS
]
_LEAVING = [
    {
        "message_id": uuid("message", number),
        "delivery_id": uuid("new delivery", number),
        "number": 2,
        "customer_id": uuid("customer", number),
        "customer_version": 1,
        "budget_windows": [["company:marketing", "2026-W47"], ["topic:other", "2026-W47"]],
        "language": "nl",
        "address": "guest@example.com",
        "subject": "",
        "text": "",
    }
    # Messages with an open attempt cannot have another one.
    for number in _NUMBERS
    if number % 3
]
_DECISIONS: list[Params] = [
    {
        "id": uuid("new decision", number),
        "customer_id": uuid("customer", number),
        "run_id": uuid("run", number),
        "message_id": None,
        "automation_id": "offers",
        "stage": "judge",
        "outcome": "skip",
        "code": "",
        "act": {},
        "gates": [],
        "until": None,
        "customer_version": 1,
        "rules_version": "",
        "decided_at": NOW,
    }
    for number in _NUMBERS
]

PARAMETERS: dict[str, Params] = {
    "claim_due": {"now": NOW, "until": LATER, "limit": 25},
    "claim_messages": {"channel": "email", "now": NOW, "limit": 25},
    "acquire_capacity": {"key": "email", "channel": "email", "limit": 25, "batches": 4, "now": NOW},
    "insert_refused_runs": _REFUSED_RUNS,
    "record_provider_outcomes": {
        "key": "email",
        "has_succeeded": False,
        "failures": 5,
        "failure_limit": 5,
        "now": NOW,
        "first": 1.0,
        "longest": 600.0,
    },
    "match_reports": {"reports": serials(), "messages": uuids("message", 30)},
    "requeue_uncertain": {"now": NOW, "classes": ["marketing"]},
    "signal_waiting_runs": {
        "events": json(
            [
                {
                    "customer_id": uuid("customer", number),
                    "name": "Checkout Started",
                    "about": "",
                    "occurred_at": NOW,
                    "version": 1,
                }
                for number in _NUMBERS
            ]
        ),
        "now": NOW,
    },
    "start_runs": {"starts": json(_STARTS), "now": NOW},
    "suppress_addresses": {
        "suppressions": json(
            [
                {"message_id": uuid("message", number), "reason": "bounced", "evidence": evidence}
                for number in _NUMBERS
                for evidence in ("a", "b")
            ]
        ),
        "now": NOW,
    },
    "update_runs": {
        "runs": json(
            [
                {
                    "run_id": uuid("run", number),
                    "due_id": serial(number),
                    "status": "waiting" if number % 2 else "completed",
                    "step": "1",
                    "awaited": "",
                    "awaited_about": "",
                    "reason": "",
                    "due_at": LATER if number % 2 else None,
                    "memory": {},
                }
                for number in _NUMBERS
            ]
        ),
        "orphaned_due_ids": [serial(25), serial(33), serial(34)],
        "claim_ends": [_CLAIM_END] * 3,
        "now": NOW,
    },
    "withdraw_messages": {"ids": uuids("message"), "now": NOW},
    "write_claims": {
        "seconds": 60.0,
        "channel": "email",
        "provider": "smtp",
        "now": NOW,
        "outgoing": json(_LEAVING),
        "state_changes": json(
            [
                {
                    "message_id": uuid("message", n),
                    "state": "expired",
                    "reason": "",
                    "not_before": None,
                }
                for n in _NUMBERS
                if n % 3 == 0
            ]
        ),
    },
    "insert_decisions": {"decisions": json(_DECISIONS)},
    "insert_messages": {"messages": json(_MESSAGES), "now": NOW},
    "write_outcomes": {
        "now": NOW,
        "outcomes": json(
            [
                {
                    "delivery_id": uuid("delivery", number),
                    "outcome": "rejected",
                    "provider_id": "",
                    "code": "",
                    "detail": "",
                    "latency_ms": 1,
                    "state": "queued",
                    "reason": "",
                    "not_before": LATER,
                    "is_refunded": True,
                }
                for number in _NUMBERS
            ]
        ),
    },
    "apply_reports": {
        "now": NOW,
        "new_states": json(
            [
                {
                    "message_id": uuid("message", number),
                    "state": "delivered",
                    "reason": "",
                    "at": NOW,
                    "is_accepted": True,
                    "provider_id": "new",
                }
                for number in range(1, 7)
            ]
        ),
        "reports": serials(),
    },
    "insert_staff_tasks": {
        "tasks": json(
            [
                {
                    "id": uuid("new task", number),
                    "key": f"new {number}" if number % 2 else str(number),
                    "kind": "call",
                    "customer_id": uuid("customer", number),
                    "automation_id": "offers",
                    "title": "",
                    "body": "",
                    "due_at": NOW,
                }
                for number in _NUMBERS
            ]
        )
    },
}
