"""Parameters for the statements of the record, and of live streams, that read or lock."""

from hashlib import md5

from bench.plans.ids import NOBODY, NOW, TODAY, Params, json, live, serial, serials, uuid, uuids

_IDS: Params = {"ids": uuids("customer")}
_LIVE: Params = {"ids": live()}
_CUSTOMER: Params = {"id": uuid("customer", 10)}
_TIMELINE: Params = {
    "logs": uuids("customer", 10),
    "bounds": [40] * 10,
    "filed_logs": uuids("customer", 8),
    "own": uuids("customer", 10),
    "live_id": uuid("customer", 9),
    "at_version": 30,
    "limit": 60,
}
_SEARCH: Params = {"text": "noor de", "compared": 2_000, "limit": 20}
_NUMBERS = range(1, 21)
_DESKS = ["till", "kiosk"]


def _digest(kind: str, number: int) -> bytes:
    return md5(f"{kind}:{number}".encode(), usedforsecurity=False).digest()


PARAMETERS: dict[str, Params] = {
    "describe_customers": _IDS | {"today": TODAY},
    "find_routing_identifier": _CUSTOMER | {"among": serials(3)},
    "find_customers": {"kind": "phone", "value": "+31600000001"},
    "find_faults": _LIVE,
    "read_source_key": {"digest": _digest("key", 1)},
    "find_equal_numbers": {"ids": serials(60), "source_id": 1001},
    "find_links": {
        "links": json(
            [
                [serial(2 * number), serial(2 * number + 1), "seen", evidence]
                for number in _NUMBERS
                for evidence in (20, 30)
            ]
        ),
        "source_id": 1001,
    },
    "find_logs": _CUSTOMER,
    "find_matches": {
        "kind": "phone",
        "value": "+31600000013",
        "is_number": False,
        "with_noted": True,
        "source": None,
        "limit": 20,
    },
    "find_next_identifiers": {"ids": serials(18)},
    "find_stored_messages": {
        "keys": f"{{{','.join(uuid('event', n * 100 + 1).hex for n in _NUMBERS)}}}"
    },
    "lock_identifiers": {"ids": serials(40)},
    "lock_live_record": _CUSTOMER,
    "find_order_numbers": {"numbers": ["A-1", "A-2"]},
    "read_linked_orders": {"ids": serials(40), "excluded": serials(5)},
    "read_order_mentions": {"ids": serials(40), "limit": 100},
    "find_placed_numbers": {"numbers": ["A-1·2026", "A-1·2027"], "space_id": 1},
    "read_customers_of_orders": {"ids": serials(40)},
    "read_events_that_place_orders": {"ids": serials(40)},
    "find_order_events_that_name_customers": {"ids": serials(40)},
    "read_moved_orders": {"ids": serials(40)},
    "read_event_names": {"logs": uuids("customer"), "versions": [3] * 20},
    "read_orders_by_number": {"numbers": ["A-1", "A-2"], "excluded": serials(5)},
    "lock_records": _IDS,
    "read_record_ids": {"after": NOBODY, "batch": 25},
    "read_all_projected_events": _LIVE,
    "read_chain_end": _CUSTOMER,
    "read_chains": _LIVE,
    "read_filing_records": {"ids": serials()},
    "count_filed_events": {"ids": uuids("customer"), "record_ids": None},
    "find_records_by_value": {"value": "A-1", "number": "A-1", "limit": 10},
    "read_filings": {"logs": uuids("customer"), "versions": [3] * 20},
    "read_ledger_entries": _LIVE,
    "read_projected_events": {"customers": live(), "abouts": ["order:A-1"] * len(live())},
    "find_order_placers": {"ids": serials(40)},
    "read_primary_identifiers": _IDS,
    # If more rows come back than this limit, the caller stops.
    "read_graph": {"ids": serials(), "limit": 1_000, "desk_channels": _DESKS},
    "read_customer_version": _CUSTOMER | {"today": TODAY, "zone": "Europe/Amsterdam"},
    "read_customer_versions": _IDS,
    "read_decisions": {"ids": serials(40)},
    "read_openable": {
        "record_id": uuid("customer", 10),
        "kind": "email",
        "address": "guest10@example.com",
        "proved_ids": serials(3),
        "limit": 101,
    },
    "read_opened_subjects": {
        "live_id": uuid("customer", 10),
        "record_ids": uuids("customer"),
        "later_record_ids": [],
        "opened_since": None,
    },
    "read_history_facts": {
        "live_id": uuid("customer", 10),
        "until": NOW,
        "names": ["last_name", "birth_date"],
    },
    "read_first_mailboxes": {"ids": serials(40)},
    "read_attaching_links": {"ids": serials(40), "limit": 50, "desk_channels": _DESKS},
    "read_attached": {"ids": serials(40)},
    "read_undecided_links": {"ids": serials(40), "excluded": serials(3), "limit": 10_000},
    "find_erased_items": {
        "keys": json(
            [
                [place, "email", f"guest{place}@example.com", 2, _digest("email", place).hex()]
                for place in _NUMBERS
            ]
        )
    },
    "read_latest_addresses": {"ids": serials(40)},
    "read_links": {"ids": serials(40)},
    "read_identifier_keys": {"ids": serials(40)},
    "read_links_between": {"first": uuid("customer", 10), "second": None, "limit": 20},
    "read_periods": {"ids": serials(40)},
    "read_members": {"records": live()},
    "read_numbers_of_sources": {"sources": [1001, 1002], "after": 0, "batch": 20},
    "read_next_identifiers": {"after": 0, "batch": 20},
    "read_own_addresses": {
        "live_id": uuid("customer", 10),
        "opened_ids": serials(40),
        "limit": 100,
    },
    "read_shared_calls": {"live_id": uuid("customer", 10), "max_holders": 10, "limit": 10},
    "read_call_events": {"record_id": uuid("customer", 10), "about": "call:c1"},
    "read_call_filings": {"log": uuid("customer", 10), "about": "call:c1"},
    "read_phone_events": {"record_id": uuid("customer", 10), "limit": 1_000},
    "read_confirmed_addresses": {"since": NOW.replace(hour=11), "after": 0, "limit": 25},
    "read_pending_accounts": {"record_id": uuid("customer", 10)},
    "read_pending_mailboxes": {"ids": uuids("customer")},
    "read_own_numbers": {"ids": serials(20), "sources": [1001, 1002] * 10},
    "read_statements": {"ids": serials(20)},
    "read_naming_sources": {"ids": serials(20)},
    "read_refused": {"ids": serials(40), "limit": 20},
    "read_records_of_customers": _LIVE,
    "read_identifiers": {
        "customer_id": uuid("customer", 10),
        "listed_ids": None,
        "limit": 500,
        "link_limit": 10,
        "desk_channels": ["store"],
    },
    "read_record": {"id": uuid("customer", 10), "today": TODAY},
    "find_ringing_calls": {"since": NOW.replace(hour=11), "limit": 25},
    "find_proved_holder": {
        "value": "+31612345678",
        "customer_id": uuid("customer", 10),
        "opened": 40,
    },
    "find_timeline_search_end": {
        "logs": uuids("customer", 10),
        "before_moment": NOW,
        "events": 20,
    },
    "read_timeline": _TIMELINE,
    "read_timeline_by_time": {
        "logs": uuids("customer", 10),
        "filed_logs": uuids("customer", 8),
        "own": uuids("customer", 10),
        "before_moment": NOW,
        "before_version": 2**62,
        "before_log": uuid("customer", 9),
        "search_end": None,
        "limit": 60,
    },
    "read_timeline_forward": _TIMELINE | {"bounds": [3] * 10},
    "read_trait_statements": _LIVE,
    "lock_ticket_orders": {
        "digests": [_digest("ticket code", 1), _digest("ticket code", 2)],
        "subject": _digest("subject", 1),
        "window": NOW,
    },
    "lock_ticket_order": {"order_key": "1001/A-1"},
    "read_scanned_tickets": {
        "digests": [_digest("ticket code", 1)],
        "keys": [uuid("gate scan", 1)],
    },
    "find_order_keys": {"number": "A-1", "customer_id": None},
    "find_handover_proof": {"order_key": "1001/A-1", "proved": serials(3)},
    "find_visit": {"id": uuid("customer", 1), "number": "", "today": TODAY},
    "lock_known_records": {"ids": "{}"},
    "resolve_identifiers": {
        "records": "{}",
        "keys": json(
            [
                [kind, value.format(number), evidence, *[_digest(kind, number).hex()] * 2]
                for number in _NUMBERS
                for kind, value in (("user_id", "1001/guest-{}"), ("email", "guest{}@example.com"))
                for evidence in (1, 2)
            ]
        ),
    },
    "search_mailboxes": {
        "mailbox": "guest1234",
        "address": "guest1234@example.com",
        "compared": 1_000_000,
        "limit": 25,
    },
    "search_phone_numbers": {"tail": "10000", "limit": 20},
    "search_similar_names": _SEARCH | {"text": "nor de wit"},
    "search_names": _SEARCH,
    "lock_available_records": _IDS,
    "read_projections": _IDS,
}
# The condition that customers.identity.search inserts into search_names.
WORDS = ("true /* words */", "plain LIKE '%%' || customers_plain('noor') || '%%'")

LIVE_PARAMETERS: dict[str, Params] = {
    "find_key": {"digest": _digest("key", 1)},
    "find_session": {"session_key": "plans1"},
    "read_customer_versions": {"customer_ids": [str(id_) for id_ in uuids("customer")]},
    "find_reading_keys": {"key_ids": serials()},
    "read_identity_sources": {"source_ids": serials()},
    "find_accounts": {"kind": "user_id", "value": "1001/7"},
    "read_session_logins": {
        "session_keys": [f"plans{number}" for number in _NUMBERS],
        "user_ids": serials(),
    },
    "read_events": {
        "customer_ids": [str(id_) for id_ in uuids("customer")],
        "after_versions": [1] * 20,
        "are_whole": [True, False] * 10,
        "with_contact": [True] * 20,
        "part_numbers": [2, 4],
        "part_records": uuids("customer")[:2],
        "part_starts": [None, None],
        "page_size": 10,
        "max_bytes": 1_000,
    },
    "redeem_ticket": {"digest": _digest("ticket", 1)},
    "log_staff_stream": {
        "ids": [uuid("customer", 1)],
        "actor": "staff:plans",
        "role": "staff",
        "what": "stream",
        "reason": "",
        "at": NOW,
        "since": NOW.replace(hour=11),
    },
}
