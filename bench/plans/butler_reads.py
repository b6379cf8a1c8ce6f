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

_PAGE: Params = {"after": NOBODY, "most": 25}
_DAYS = [
    {
        "on": f"2026-11-{day}",
        "day": f"2026-11-{day}",
        "month": 11,
        "of": day,
        "of_year": f"11-{day}",
    }
    for day in range(18, 26)
]
_DATES: Params = {
    "automation": "offers",
    "days": json(_DAYS),
    "of_year": [day["of_year"] for day in _DAYS],
    "name": "birth_date",
    "customer": NOBODY,
    "about": "",
    "most": 25,
}
_CONTEXTS = [
    {
        "i": uuid("run", number),
        "c": uuid("customer", number),
        "about": about,
        "log": uuid("customer", number),
        "v": 1,
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
    "audience_told": _PAGE | {"automation": "offers", "topic": "ride:night-mail", "since": NOBODY},
    "audience_visiting": _PAGE | {"today": TODAY},
    "find_in_hand": {"customer": uuid("customer", 3)},
    "find_left": {"customer": uuid("customer", 9), "since": NOW.replace(hour=11)},
    "find_silent": {"most": 25},
    "find_waiting_receipts": {"deliveries": uuids("delivery")},
    "find_withdrawable": _PAGE | {"key": "offers", "now": NOW},
    "gather_facts": {
        "ids": uuids("customer"),
        "windows": ["2026-W47"],
        "since": NOW.replace(hour=11),
    },
    "hold_customers": {"ids": uuids("customer")},
    "hold_due": {"id": serial(1), "until": NOW.replace(hour=13, minute=0)},
    "hold_for_outcomes": {"deliveries": uuids("delivery")},
    "hold_reported": {"receipts": serials()},
    "hold_runs": {
        "ids": [serial(number) for number in range(1, 200, 8)],
        "untils": [NOW.replace(hour=13, minute=0)] * 25,
    },
    "judge_many": {
        "ids": [*uuids("customer"), NOBODY],
        "purpose": "offers",
        "objections": ["marketing"],
        "obeys_settings": True,
        "obeys_pause": True,
        "obeys_only_when_i_ask": True,
        "topic": "offers",
        "channel": "email",
        "address_kind": "email",
        "spares_complained": False,
        "expires_at": LATER,
    },
    "plan_members": _DATES,
    "plan_orders": _DATES,
    "plan_traits": _DATES,
    "read_contexts": {"asked": json(_CONTEXTS), "today": TODAY},
    "read_doorway": {"id": uuid("customer", 10)},
    "read_reported": {"messages": uuids("message")},
    "read_triggers": {},
    "read_versions": {"ids": serials(30)},
    "read_why": {
        "ids": uuids("customer", 3),
        "before_at": None,
        "before_id": None,
        "is_sent": None,
        "limit": 10,
    },
    "read_work": {"now": NOW},
    "read_zones": {"ids": live()},
}
