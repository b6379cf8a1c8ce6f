"""The permissions of each role of staff. A migration makes Django's groups from this table.

The whole record, through the REST API or a stream, needs `view_customer`. Staff with only
`meet_customer` see the name and the visit of a customer on the console, but no addresses.
"""

from collections.abc import Mapping

# All staff who meet customers may read the status of a topic such as a ride. Setting it needs its
# own permission, because a new status may send messages to many customers.
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
    "customers.view_consentstate",
    "customers.view_review",
    "butler.view_message",
    "butler.view_decision",
}
_SERVE = _READ | {
    "customers.change_order",
    "customers.change_partymember",
    "customers.change_consentstate",
    "customers.change_review",
    "butler.view_stafftask",
    "butler.change_stafftask",
}
_PAUSE_SWITCHES = frozenset(
    {"butler.view_pauseswitch", "butler.add_pauseswitch", "butler.change_pauseswitch"}
)
_READ_AUTOMATIONS = frozenset({"butler.view_automation", "butler.view_automationversion"})

ROLES: Mapping[str, frozenset[str]] = {
    # Staff at the desk answer the phone. They often hear first that a ride is down.
    "desk": _SERVE | _CHANGE_TOPICS,
    # Staff at a till or a gate see the name and the visit, and check codes.
    "till": _MEET | {"customers.view_order"},
    # Marketers write messages. They see the consents of a customer and the decisions about
    # messages, but no addresses.
    "marketer": frozenset({"customers.meet_customer", "customers.view_consentstate"})
    | {"butler.view_message", "butler.view_decision", "butler.view_pauseswitch"}
    | _READ_TOPICS
    | _READ_AUTOMATIONS,
    # The privacy officer reads all records and the access log, and erases records.
    "privacy officer": _READ
    | {"customers.view_accesslogentry", "customers.change_consentstate", "customers.change_review"}
    | {"customers.add_erasure"}
    | {"butler.view_pauseswitch"}
    | _READ_AUTOMATIONS,
    "manager": _SERVE
    | _CHANGE_TOPICS
    | _PAUSE_SWITCHES
    | _READ_AUTOMATIONS
    # Approves an automation that another staff member wrote.
    | {"butler.change_automationversion"}
    | {
        "customers.view_accesslogentry",
        # The sources, their settings and their warnings.
        "customers.view_source",
        # Answers whether two sources number their customers separately.
        "customers.change_numberingquestion",
        "customers.view_quarantineditem",
        "customers.change_quarantineditem",
    },
    # This role sees figures and pause switches, but no records.
    "overview": frozenset({"butler.view_pauseswitch"}) | _READ_TOPICS | _READ_AUTOMATIONS,
}
