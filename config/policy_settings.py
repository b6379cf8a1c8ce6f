"""The company's policy, which limits messages even if a customer's preferences allow more."""

from config import env

# The message classes that the policy may limit. Critical messages and legal duties have no limits.
_LIMITED_CLASSES = {"service", "answer", "relationship", "marketing", "peer"}
# The largest number of messages of a class that a customer gets in a day, a week or a month.
# Further messages wait until the next period begins. An unnamed class has no budget.
BUTLER_BUDGETS = env.budgets(
    "BUTLER_BUDGETS", _LIMITED_CLASSES, default="marketing=2/week,relationship=2/week"
)
# The hours, in the customer's time zone, in which they get no messages of a class. The messages
# wait until the hours end. An unnamed class has no quiet hours.
BUTLER_QUIET_HOURS = env.quiet_hours(
    "BUTLER_QUIET_HOURS",
    _LIMITED_CLASSES,
    default="marketing=20:00-09:00,relationship=20:00-09:00,peer=21:00-08:00",
)
# The possible time zones of customers whose zone is unknown. Such a customer gets a message only
# if none of these zones is in its quiet hours.
BUTLER_PLAUSIBLE_ZONES = env.listing("BUTLER_PLAUSIBLE_ZONES") or [
    "Europe/Amsterdam",
    "Europe/London",
    "Europe/Helsinki",
]
