"""The permissions of each role of staff. Django's groups are made from this table.

The whole record, by REST or as a stream, needs `view_customer`; who has only `meet_customer`
sees on the console who somebody is and when they visit, and nothing that leads to them.
"""

from collections.abc import Mapping

# How rides are is no secret to anybody who works here; to say so may be told to many.
_READ_TOPICS = frozenset({"butler.view_topicstatus"})
_CHANGE_TOPICS = frozenset({"butler.change_topicstatus"})
_MEET = frozenset({"customers.find_customer", "customers.meet_customer"}) | _READ_TOPICS
_READ = _MEET | {
    "customers.view_customer",
    "customers.view_identifier",
    "customers.view_event",
    "customers.view_order",
    "customers.view_interaction",
    "customers.view_partymember",
    "customers.view_control",
    "customers.view_review",
    "butler.view_message",
    "butler.view_decision",
}
_SERVE = _READ | {
    "customers.change_order",
    "customers.change_partymember",
    "customers.change_control",
    "customers.change_review",
    "butler.view_stafftask",
    "butler.change_stafftask",
}
_PAUSE_SWITCHES = frozenset(
    {"butler.view_pauseswitch", "butler.add_pauseswitch", "butler.change_pauseswitch"}
)
_READ_AUTOMATIONS = frozenset({"butler.view_automation", "butler.view_automationversion"})

ROLES: Mapping[str, frozenset[str]] = {
    # Who answers the phone, and hears first that a ride stands still.
    "desk": _SERVE | _CHANGE_TOPICS,
    # Who stands at a till or a gate: name, visit, whether a code is good.
    "till": _MEET | {"customers.view_order"},
    # Who writes what is sent: what may be said to somebody and why, not where they are reached.
    "marketer": frozenset({"customers.meet_customer", "customers.view_control"})
    | {"butler.view_message", "butler.view_decision", "butler.view_pauseswitch"}
    | _READ_TOPICS
    | _READ_AUTOMATIONS,
    # Who answers for what we keep and do: reads everything, and who looked at it.
    "privacy officer": _READ
    | {"customers.view_accesslogentry", "customers.change_control", "customers.change_review"}
    | {"butler.view_pauseswitch"}
    | _READ_AUTOMATIONS,
    "manager": _SERVE
    | _CHANGE_TOPICS
    | _PAUSE_SWITCHES
    | _READ_AUTOMATIONS
    # Lets what somebody else wrote go.
    | {"butler.change_automationversion"}
    | {
        "customers.view_accesslogentry",
        "customers.view_quarantineditem",
        "customers.change_quarantineditem",
    },
    # Who only wants to see how it goes: numbers and switches, nobody's record.
    "overview": frozenset({"butler.view_pauseswitch"}) | _READ_TOPICS | _READ_AUTOMATIONS,
}
