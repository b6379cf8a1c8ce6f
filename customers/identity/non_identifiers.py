"""Which values identify nobody: words for "none", templates, masks. Pure once it is loaded.

Such values joined thousands of strangers in other systems before these systems refused them
(segment-docs identity-resolution-settings, PostHog issue 5527).
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Self

DEFAULT_FILE = Path(__file__).with_suffix(".toml")
# Numbers that count up or down, or repeat one digit, are typed to get past a form.
_MIN_DIGITS = 7
_EQUAL_RUN = re.compile(rf"([0-9])\1{{{_MIN_DIGITS - 1}}}")
_RUNS = ("0123456789", "9876543210", "1234567890", "0987654321")
# Letters, marks and symbols that nobody sees (Unicode: Default_Ignorable_Code_Point), and the empty
# braille pattern. Other invisible characters have the category Cf.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)
# Domains that nobody can receive mail at (RFC 2606, RFC 6761).
_RESERVED_DOMAINS = frozenset(
    {
        "example.com",
        "example.net",
        "example.org",
        "example",
        "invalid",
        "test",
        "localhost",
        "local",
    }
)


class InvalidRules(ValueError):
    """A file of non-identifiers that cannot be used; the text says why."""


class NonIdentifiers:
    """The words and patterns that identify nobody, by kind of identifier.

    allows_reserved_domains: whether mailboxes at example.com and the like may identify somebody
    own_addresses: mailboxes and domains of the company, which its staff type for customers
    """

    def __init__(
        self, *, allows_reserved_domains: bool = False, own_addresses: Iterable[str] = ()
    ) -> None:
        self._allows_reserved_domains = allows_reserved_domains
        self._own_addresses = frozenset(map(str.lower, own_addresses))
        self._words: dict[str, set[str]] = {}
        self._patterns: dict[str, list[str]] = {}
        self._compiled: dict[str, re.Pattern[str]] = {}

    def add(self, *files: Path) -> Self:
        """Add the rules of these files, and return all rules.

        Raises InvalidRules where a file cannot be read, or is not of the shape of ours.
        """
        for path in files:
            try:
                self._add(tomllib.loads(path.read_text(encoding="utf-8")))
            except (OSError, ValueError, AttributeError, TypeError, re.error) as error:
                raise InvalidRules(f"{path}: {error}") from error
        return self

    def _add(self, document: dict[str, dict[str, list[str]]]) -> None:
        for kind, rules in document.items():
            if unknown := rules.keys() - {"words", "patterns"}:
                raise ValueError(f"[{kind}] has no {', '.join(sorted(unknown))}")
            self._words.setdefault(kind, set()).update(map(comparable, rules.get("words", ())))
            patterns = self._patterns.setdefault(kind, [])
            patterns.extend(rules.get("patterns", ()))
            union = "|".join(f"(?:{pattern})" for pattern in patterns)
            self._compiled[kind] = re.compile(union or r"(?!)", re.DOTALL)

    def matches(self, kind: str, value: str) -> bool:
        """Tell whether this value, as it was sent, identifies nobody."""
        text = comparable(value)
        for name in ("any", kind.partition(":")[0]):
            if text in self._words.get(name, ()):
                return True
            if (pattern := self._compiled.get(name)) and pattern.fullmatch(text):
                return True
        if kind == "email":
            return not self._allows_reserved_domains and _has_reserved_domain(text)
        return kind in ("phone", "card") and is_made_up(text)

    def is_own_address(self, email: str) -> bool:
        """Tell whether this mailbox, in lower case, is one of the company's."""
        return email in self._own_addresses or email.rpartition("@")[2] in self._own_addresses


def comparable(value: str) -> str:
    """Return the value as it is compared: lower case, without quotes and invisible characters."""
    text = without_invisible(unicodedata.normalize("NFKC", without_invisible(value)))
    return text.strip().strip("'\"").strip().lower()


def without_invisible(value: str) -> str:
    """Return the value without characters that nobody sees, such as a zero-width space."""
    if value.isascii():
        return value
    return "".join(char for char in _BLANK.sub("", value) if unicodedata.category(char) != "Cf")


def is_made_up(number: str) -> bool:
    """Tell whether the digits are all equal, or count up or down, and there are at least seven."""
    digits = re.sub(r"\D", "", number)
    if len(digits) < _MIN_DIGITS or re.search(r"[a-z]", number):
        return False
    return len(set(digits)) == 1 or any(digits in run for run in _RUNS)


def has_equal_run(number: str) -> bool:
    """Tell whether at least seven equal digits follow each other."""
    return _EQUAL_RUN.search(re.sub(r"\D", "", number)) is not None


def _has_reserved_domain(email: str) -> bool:
    domain = "." + email.rpartition("@")[2]
    return any(domain.endswith(f".{reserved}") for reserved in _RESERVED_DOMAINS)
