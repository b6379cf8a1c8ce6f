"""Parameters for the statements of the record that change rows."""

from datetime import timedelta

from bench.plans.ids import NOW, TODAY, Params, json, live, serial, serials, uuid, uuids

_IDS: Params = {"ids": uuids("customer")}
_NUMBERS = range(1, 21)


def _dropped(name: str) -> Params:
    return {
        "customers": uuids("customer"),
        "names": [name.format(number) for number in _NUMBERS],
    }


def _rows(**columns: object) -> Params:
    """Return one row for each of some customers. Half of them already have such a row."""
    return {
        "rows": json(
            [
                {
                    name: value.format(number) if isinstance(value, str) else value
                    for name, value in columns.items()
                }
                | {"customer_id": uuid("customer", number)}
                for number in _NUMBERS
            ]
        )
    }


_ORDER_NUMBERS = [f"A-{number}" for number in _NUMBERS]

PARAMETERS: dict[str, Params] = {
    "insert_gate_scans": {
        "scans": json(
            [
                {
                    "key": uuid("new scan", 1),
                    "code_digest": "00" * 16,
                    "order_key": "1001/A-1",
                    "guest": "",
                    "state": "good",
                    "outcome": "admitted",
                    "device": "gate",
                    "place": "North gate",
                    "staff": "iris",
                    "scanned_at": NOW,
                }
            ]
        ),
        "looks": json([{"customer_id": uuid("customer", 1), "actor": "source:gate, for iris"}]),
        "at": NOW,
        "source_id": 1001,
    },
    "insert_ledger_entries": {
        "rows": json(
            [
                {
                    "record_id": uuid("customer", number),
                    "seq": 3,
                    "entry_id": uuid("new entry", number),
                    "speaks_for": [uuid("customer", number)],
                    "kind": "consent",
                    "subject": "offers",
                    "version": 1,
                    "occurred_at": NOW,
                    "recorded_at": NOW,
                    "document": "{}",
                    "previous": "00",
                    "digest": "01",
                }
                for number in _NUMBERS
            ]
        )
    },
    "begin_periods": {"ids": serials(2), "source_id": 1, "now": NOW},
    "insert_identifiers": {
        "identifiers": json(
            [
                {
                    "kind": "user_id",
                    "value": f"1001/guest-{number}",
                    "evidence": evidence,
                    "period": 0,
                    "period_starts_at": None,
                    "refused": [],
                    "record_id": None,
                    "customer_id": None,
                    "best_evidence": 30,
                }
                for number in _NUMBERS
                for evidence in (1, 2)
            ]
        ),
        "now": NOW,
    },
    # Some of these links are stored with a later time.
    "insert_links": {
        "links": json(
            [
                {
                    "first_id": serial(number),
                    "second_id": serial(number + 1),
                    "evidence": 30,
                    "kind": "seen",
                    "occurred_at": NOW - timedelta(minutes=number % 3),
                    "arrival": 0,
                    "last_proved_at": NOW if number % 2 else None,
                    "state": "filed",
                }
                for number in range(2, 60)
            ]
        ),
        "source_id": 1001,
    },
    "append_events": {
        "source_id": 1001,
        "evidence": 2,
        "received_at": NOW,
        "events": json(
            [
                {
                    "customer_id": uuid("customer", number),
                    "version": 1_000,
                    "origin_id": None,
                    "message_id": f"new {number}",
                    "message_key": uuid("new event", number),
                    "body_hash": uuid("new body", number),
                    "kind": "track",
                    "name": "Ride Ended",
                    "about": "",
                    "actor": "",
                    "identifier_ids": [serial(number)],
                    "occurred_at": NOW,
                    "arrival": number,
                    "body": {},
                }
                for number in _NUMBERS
            ]
        ),
    },
    "delete_projections": _IDS,
    "delete_consent_states": _IDS,
    "delete_interactions": _dropped("call-1"),
    "lock_order_identifiers": {"ids": serials(40)},
    "lock_order_numbers": {"numbers": _ORDER_NUMBERS},
    "delete_members": _dropped("m{}-1"),
    "delete_orders": _dropped("A-{}01"),
    "delete_requests": _dropped("r-1"),
    "insert_quarantined_items": {
        "source_id": 1001,
        "evidence": 2,
        "received_at": NOW,
        "message_ids": [str(number) for number in _NUMBERS],
        "reasons": ["no_event"] * 20,
        "details": [""] * 20,
        "raws": [b"{}"] * 20,
        "is_secret": True,
        "digests": [uuid("digest", number % 15) for number in _NUMBERS],
    },
    # Half of these events are filed on another record already.
    "refile_events": {
        "events": json(
            [
                {
                    "customer_id": uuid("customer", number),
                    "version": version,
                    "record_id": uuid("customer", number + version % 3),
                }
                for number in _NUMBERS
                for version in range(1, 20)
            ]
        ),
        "reason": "",
        "actor": "",
        "now": NOW,
    },
    "upsert_consent_states": _rows(
        entries=2,
        state={},
        granted=[],
        objected=[],
        channels_off=[],
        topics_off=[],
        only_when_i_ask=False,
    ),
    "upsert_interactions": _rows(
        reference="call-{}",
        kind="call",
        channel="phone",
        direction="in",
        status="ended",
        staff="",
        started_at=NOW,
        details={},
        version=2,
    ),
    "upsert_members": _rows(
        reference="m{}-1", name="Sam", role="child", guardian="", details={}, version=2
    ),
    "update_merges": {
        "moves": json(
            [
                {
                    "record_id": uuid("customer", number),
                    "merged_into_id": uuid("customer", number + 1) if number % 4 else None,
                    "previous_id": uuid("customer", number + 2) if number % 2 else None,
                    "reason": "proof",
                    "links": [],
                }
                for number in _NUMBERS
            ]
        ),
        "actor": "",
        "now": NOW,
    },
    "upsert_orders": _rows(
        number="A-{}01",
        status="cancelled",
        channel="app",
        currency="EUR",
        total=80,
        is_total_of_lines=True,
        visit_date=TODAY,
        party=[],
        lines=[],
        details={},
        requested_changes=[],
        requests=[],
        refunds=[],
        doubts={},
        evidence=2,
        placed_at=NOW,
        changed_at=NOW,
        changed_by="",
        version=2,
    ),
    "upsert_requests": _rows(
        reference="r-1",
        kind="question",
        status="closed",
        subject="",
        channel="app",
        opened_at=NOW,
        details={},
        version=2,
    ),
    "upsert_traits": {
        "traits": json(
            [
                {
                    "customer_id": id_,
                    "name": name,
                    "value": "Odense",
                    "evidence": 2,
                    "source_id": 1001,
                    "occurred_at": NOW,
                    "arrival": 1,
                    "message_key": uuid("new trait", 1),
                }
                for id_ in live()
                for name in ("city", "language")
            ]
        )
    },
    "count_contests": {"ids": serials(40), "source_id": 1001},
    "add_source_warnings": {
        "source_id": 1001,
        "day": TODAY,
        "warnings": json(
            [
                {"code": code, "count": 3, "example": "m-1"}
                for code in ("identifier_dropped", "non_identifier")
            ]
        ),
    },
    "update_key_last_used": {"id": serial(1)},
    "insert_access_log": _IDS
    | {"actor": "", "role": "", "what": "record", "reason": "", "at": NOW},
    "insert_records": {"ids": uuids("new customer"), "now": NOW},
    "repoint_identifiers": {
        "identifiers": json(
            [
                {
                    "id": id_,
                    "customer_id": uuid("customer", 1),
                    "is_shared": False,
                    "is_placeholder": id_ % 5 == 0,
                }
                for id_ in serials(20, 2)
            ]
        )
    },
    "repoint_records": {
        "records": json(
            [
                {"id": uuid("customer", number), "canonical_id": uuid("customer", 9)}
                for number in range(1, 5)
            ]
        ),
        "affected": uuids("customer"),
    },
    "assign_records": {"ids": serials(), "records": uuids("customer")},
    "end_links": {"ids": serials()},
    "store_silences": {"ids": serials(), "opened": "Earlier History Opened"},
    "update_link_states": {
        "ids": serials(40, 3),
        "states": [
            ("joined", "attached", "contested", "replaced")[number % 4] for number in range(40)
        ],
    },
}
