"""Settings for the values that identify a customer, and for the rules about changes of orders."""

from config import env

# The path of a file with further values that identify no customer, in the format of
# customers/identity/non_identifiers.toml.
BUTLER_NON_IDENTIFIERS = env.text("BUTLER_NON_IDENTIFIERS", "")
# Mailboxes and domains of the company. Call desks and tills enter them for customers without one.
BUTLER_OWN_ADDRESSES = env.listing("BUTLER_OWN_ADDRESSES")
# Whether mailboxes at example.com and other reserved domains may identify a customer.
BUTLER_ALLOW_RESERVED_DOMAINS = env.flag(
    "BUTLER_ALLOW_RESERVED_DOMAINS", default=env.flag("DEBUG", default=False)
)

# The path of a file of order rules, in the format of customers/actions/order_rules.toml.
BUTLER_ORDER_RULES = env.text("BUTLER_ORDER_RULES", "")
