"""Labels of codes, translated into the customer's language."""

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

# The place of an event, by the channel of its source.
SOURCE_CHANNELS = {
    "phone": gettext_noop("by phone"),
    "web": gettext_noop("on the website"),
    "site": gettext_noop("on the website"),
    "app": gettext_noop("in the app"),
    "store": gettext_noop("at the counter"),
    "till": gettext_noop("at the counter"),
    "kiosk": gettext_noop("at the counter"),
    "butler": gettext_noop("by Butler"),
    "console": gettext_noop("at our desk"),
    "desk": gettext_noop("at our desk"),
    "server": gettext_noop("online"),
    "import": gettext_noop("in an earlier system"),
    "partner": gettext_noop("at a partner"),
}
# The way of a message to its customer, by channel.
MESSAGE_CHANNELS = {
    "inbox": gettext_noop("here"),
    "email": gettext_noop("by e-mail"),
    "sms": gettext_noop("by text message"),
    "phone": gettext_noop("by a call"),
}
IDENTIFIER_KINDS = {
    "user_id": gettext_noop("Account"),
    "email": gettext_noop("E-mail"),
    "phone": gettext_noop("Phone"),
    "card": gettext_noop("Card"),
    "order": gettext_noop("Order"),
    "anonymous_id": gettext_noop("Browser"),
    "device": gettext_noop("Device"),
}
IDENTIFIER_STATUSES = {
    "confirmed": gettext_noop("confirmed"),
    "shared": gettext_noop("shared"),
    "unconfirmed": gettext_noop("not confirmed"),
}
ORDER_STATUSES = {
    "requested": gettext_noop("Requested"),
    "placed": gettext_noop("Confirmed"),
    "amended": gettext_noop("Changed"),
    "partly_refunded": gettext_noop("Partly refunded"),
    "cancelled": gettext_noop("Cancelled"),
    "refunded": gettext_noop("Refunded"),
    "declined": gettext_noop("Declined"),
    "expired": gettext_noop("Expired"),
    "ordered": gettext_noop("Ordered"),
}
REQUEST_STATES = {
    "asked": gettext_noop("Waits for our answer"),
    "confirmed": gettext_noop("Done"),
    "declined": gettext_noop("Declined"),
    "expired": gettext_noop("Expired"),
    "withdrawn": gettext_noop("Withdrawn"),
}
# The texts for the reasons of Butler. Staff and sources write their own texts.
REQUEST_REASONS = {
    "order-changed": gettext_noop("The order changed after you asked, so we check it again."),
    "order-closed": gettext_noop("The order is no longer valid."),
    "line-gone": gettext_noop("This part of the order was cancelled."),
}
STAFF_REQUEST_REASONS = {
    "order-changed": "The order changed after the customer asked. Compare it first.",
    "order-closed": "The order was cancelled or refunded.",
    "line-gone": "This order line was cancelled.",
}
PARTY_ROLES = {
    "guardian": gettext_noop("guardian"),
    "child": gettext_noop("child"),
    "guest": gettext_noop("guest"),
}
MERGE_REASONS = {
    "code": gettext_noop("because you verified both with a code"),
    "proof": gettext_noop("because both have the same verified address or number"),
    "claim": gettext_noop("because an anonymous visit turned out to be yours"),
    "staff": gettext_noop("because a staff member joined them"),
    "mailbox": gettext_noop("because both were given with the same e-mail address"),
    "phone": gettext_noop("because both were given with the same phone number"),
    "card": gettext_noop("because both were given with the same card"),
    "number": gettext_noop("because both have the same customer number"),
    "statement": gettext_noop("because the same e-mail address or number was given for both"),
    "undo": gettext_noop("because a staff member undid the separation"),
}
YES_NO = {"True": gettext_noop("yes"), "False": gettext_noop("no")}
# The name of each channel, as the heading of a column and in a sentence.
CHANNEL_NAMES = {
    "inbox": gettext_noop("Inbox"),
    "email": gettext_noop("E-mail"),
    "sms": gettext_noop("SMS"),
    "phone": gettext_noop("Call"),
}
PERIOD_NAMES = {
    "day": gettext_noop("a day"),
    "week": gettext_noop("a week"),
    "month": gettext_noop("a month"),
}
WEEKDAYS = (
    gettext_noop("Mon"),
    gettext_noop("Tue"),
    gettext_noop("Wed"),
    gettext_noop("Thu"),
    gettext_noop("Fri"),
    gettext_noop("Sat"),
    gettext_noop("Sun"),
)


def translated(labels: Mapping[str, str], code: str) -> str:
    """Return the label of a code in the reader's language; the code itself if it has no label."""
    return _(labels[code]) if code in labels else code
