"""The company's policy: it limits what customers get even where their own settings allow more."""

from config import env

# The message classes to which it may apply; what is critical or a legal duty has no limits.
_LIMITED_CLASSES = {"service", "answer", "relationship", "marketing", "peer"}
# The most messages of a class that a customer gets in a day, a week or a month; what is over the
# budget waits until the next one begins. A class that is not named has no budget.
BUTLER_BUDGETS = env.budgets(
    "BUTLER_BUDGETS", _LIMITED_CLASSES, default="marketing=2/week,relationship=2/week"
)
# The hours, in the customer's own time zone, in which they get no message of a class; it waits
# until the hours end. A class that is not named has no quiet hours.
BUTLER_QUIET_HOURS = env.quiet_hours(
    "BUTLER_QUIET_HOURS",
    _LIMITED_CLASSES,
    default="marketing=20:00-09:00,relationship=20:00-09:00,peer=21:00-08:00",
)
# Where customers could be whose time zone is unknown: they get a message only where none of
# these zones is in its quiet hours.
BUTLER_PLAUSIBLE_ZONES = env.listing("BUTLER_PLAUSIBLE_ZONES") or [
    "Europe/Amsterdam",
    "Europe/London",
    "Europe/Helsinki",
]
