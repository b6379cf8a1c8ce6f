"""Normalizes identifiers, so that equal identifiers have equal text. Uses no database.

`customers.apps` sets the values that identify nobody, once at start.
"""

import logging
import re
from functools import lru_cache

import email_validator
import phonenumbers

from customers.fault_isolation import FAULTS, describe_fault
from customers.identity.non_identifiers import (
    DEFAULT_FILE,
    NonIdentifiers,
    has_equal_run,
    is_made_up,
    without_invisible,
)

_log = logging.getLogger(__name__)

# "external" stands for all kinds `external:<system>`.
KINDS = ("user_id", "external", "card", "email", "phone", "order", "anonymous_id", "device")

MAX_LENGTH = 512

# The channels of sources whose staff type what the customer tells them.
_STAFFED_CHANNELS = frozenset({"phone", "store"})

# Which values identify nobody; a company's settings add to it at start.
_non_identifiers = NonIdentifiers().add(DEFAULT_FILE)
_MEXICO, _BRAZIL = 52, 55
_EXTERNAL = re.compile(r"external:[a-z0-9_.-]{1,50}\Z")


@lru_cache(maxsize=1_000)
def is_kind(kind: str) -> bool:
    """Tell whether the text is a kind of identifier. `external` needs the name of a system."""
    return (kind in KINDS and kind != "external") or _EXTERNAL.match(kind) is not None


def set_non_identifiers(non_identifiers: NonIdentifiers) -> None:
    """Refuse these values as identifiers from now on, in this process."""
    global _non_identifiers
    _non_identifiers = non_identifiers
    normalize.cache_clear()


def current_rules() -> NonIdentifiers:
    """Return the rules about values that identify nobody, as they hold in this process."""
    return _non_identifiers


def is_of_the_company(email: str, channel: str) -> bool:
    """Tell whether staff wrote down a mailbox of the company because the customer named none."""
    return channel in _STAFFED_CHANNELS and _non_identifiers.is_own_address(email)


# The size limits the memory of the cache, because senders choose the texts: 50,000 texts could
# fill 200 MB.
@lru_cache(maxsize=10_000)
def normalize(kind: str, value: str, region: str | None = None) -> str | None:
    """Return the normalized value of an identifier, or None if it can identify no customer.

    region: the country of phone numbers without a country code (ISO 3166 alpha-2)
    """
    value = without_invisible(value).strip()
    if not value or len(value) > MAX_LENGTH or _non_identifiers.matches(kind, value):
        return None
    if "\x00" in value or not value.isprintable():
        return None
    spell = _SPELLINGS.get(kind)
    try:
        return spell(value, region) if spell else value
    except FAULTS as error:
        _log.error("an identifier of kind %s cannot be spelled: %s", kind, describe_fault(error))
        return None


def refusal_code(kind: str, value: str, region: str | None = None) -> str:
    """Return the code of the warning for a value that `normalize` refuses; empty for a blank one.

    `non_identifier`: the value identifies nobody. `identifier_dropped`: nobody can read it.
    """
    value = without_invisible(value).strip()
    if not value:
        return ""
    if _non_identifiers.matches(kind, value) or (
        kind == "phone" and _is_made_up_phone(value, region)
    ):
        return "non_identifier"
    return "identifier_dropped"


def _is_made_up_phone(value: str, region: str | None) -> bool:
    try:
        return _is_made_up_number(phonenumbers.parse(value, region))
    except phonenumbers.NumberParseException:
        return False


def _is_made_up_number(number: phonenumbers.PhoneNumber) -> bool:
    """Tell whether nobody has the number: +31 000000000, +31 6 00000000.

    Seven equal digits are enough only in a number that the numbering plan of its country excludes.
    """
    digits = phonenumbers.national_significant_number(number)
    if is_made_up(digits):
        return True
    return has_equal_run(digits) and not phonenumbers.is_valid_number(number)


def _email(value: str, _: str | None) -> str | None:
    try:
        address = email_validator.validate_email(
            value.lower(), check_deliverability=False, test_environment=True
        )
    except email_validator.EmailNotValidError:
        return None
    # The part before the @ is in lower case, too: no common provider distinguishes Noor@ from noor@.
    # Otherwise one person would often get two records. It is not folded further: weiß@ and weiss@
    # are two mailboxes.
    return f"{address.local_part}@{(address.ascii_domain or address.domain).lower()}"


def _phone(value: str, region: str | None) -> str | None:
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        return None
    _write_in_present_form(number)
    if not phonenumbers.is_possible_number(number) or _is_made_up_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _write_in_present_form(number: phonenumbers.PhoneNumber) -> None:
    """Change a mobile number that WhatsApp still writes as before its country renumbered.

    Mexico dropped the 1 after +52 in 2019. Brazil put a 9 after the area code until 2016.
    """
    digits = str(number.national_number)
    if number.country_code == _MEXICO and len(digits) == 11 and digits[0] == "1":
        number.national_number = int(digits[1:])
    elif number.country_code == _BRAZIL and len(digits) == 10 and digits[2] in "6789":
        number.national_number = int(f"{digits[:2]}9{digits[2:]}")


def _card(value: str, _: str | None) -> str | None:
    return re.sub(r"[\s-]", "", value).upper() or None


_SPELLINGS = {"email": _email, "phone": _phone, "card": _card}
