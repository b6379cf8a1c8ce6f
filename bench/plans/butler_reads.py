"""Parameters for the butler's statements that read or lock."""

from bench.plans.ids import (
    LATER,
    NOBODY,
    NOW,
    TODAY,
    Params,
    json,
    live,
    serial,
    serials,
    uuid,
    uuids,
)

_PAGE: Params = {"after": NOBODY, "limit": 25}
_DAYS = [
    {
        "upcoming_date": f"2026-11-{day}",
        "action_date": f"2026-11-{day}",
        "month": 11,
        "day_of_month": day,
        "month_day": f"11-{day}",
    }
    for day in range(18, 26)
]
_DATES: Params = {
    "automation": "offers",
    "days": json(_DAYS),
    "month_days": [day["month_day"] for day in _DAYS],
    "name": "birth_date",
    "customer": NOBODY,
    "about": "",
    "limit": 25,
}
_CONTEXTS = [
    {
        "run_id": uuid("run", number),
        "customer_id": uuid("customer", number),
        "about": about,
        "log": uuid("customer", number),
        "version": 1,
        "topic": "ride:night-mail",
        "gathered": [
            {"log": uuid("customer", log), "version": 1 + version % 2}
            for log in (number, number + 1)
            for version in range(2)
        ],
    }
    for number, about in enumerate(
        ("", "order:A-201", "member:m3-1", "request:r-1", "order:A-9", "", "", "", "", ""), start=1
    )
]

PARAMETERS: dict[str, Params] = {
    "audience_consented": _PAGE | {"purpose": "offers"},
    "audience_everyone": _PAGE,
    "audience_notified": _PAGE
    | {"automation": "offers", "topic": "ride:night-mail", "since": NOBODY},
    "audience_visiting_today": _PAGE | {"today": TODAY},
    "find_deliveries_in_flight": {"customer": uuid("customer", 3)},
    "find_sent_messages": {"customer": uuid("customer", 9), "since": NOW.replace(hour=11)},
    "find_expired_deliveries": {"limit": 25},
    "find_upcoming_members": _DATES,
    "find_upcoming_orders": _DATES,
    "find_upcoming_traits": _DATES,
    "find_waiting_reports": {"deliveries": uuids("delivery")},
    "find_withdrawable": _PAGE | {"key": "offers", "now": NOW},
    "read_decision_facts": {
        "ids": uuids("customer"),
        "windows": ["2026-W47"],
        "since": NOW.replace(hour=11),
    },
    "lock_customers": {"ids": uuids("customer")},
    "lock_due": {"id": serial(1), "until": NOW.replace(hour=13, minute=0)},
    "lock_customers_of_deliveries": {"deliveries": uuids("delivery")},
    "lock_customers_of_reports": {"reports": serials()},
    "lock_runs": {
        "ids": [serial(number) for number in range(1, 200, 8)],
        "claim_ends": [NOW.replace(hour=13, minute=0)] * 25,
    },
    "read_denial_codes": {
        "ids": [*uuids("customer"), NOBODY],
        "purpose": "offers",
        "objections": ["marketing"],
        "obeys_settings": True,
        "obeys_pause": True,
        "obeys_only_when_i_ask": True,
        "topic": "offers",
        "channel": "email",
        "address_kind": "email",
        "allows_noted": True,
        "allows_complained": False,
        "expires_at": LATER,
    },
    "read_contexts": {"runs": json(_CONTEXTS), "today": TODAY},
    "resolve_customer": {"id": uuid("customer", 10), "record_ids": None},
    "read_reported_messages": {"messages": uuids("message")},
    "read_triggers": {},
    "read_versions": {"ids": serials(30)},
    "read_occasions": {
        "ids": uuids("customer", 3),
        "before_at": None,
        "before_id": None,
        "is_sent": None,
        "addresses": None,
        "record_ids": None,
        "limit": 10,
    },
    "read_worker_health": {"now": NOW},
    "read_zones": {"ids": live()},
}
