"""Unusual values, and events with them, for each event name that a projection reads."""

import sys

from hypothesis import strategies as st

from customers.projections import registry

# Python counts each of these as digits or numbers, in a way of its own.
ODD_TEXTS = [
    "²", "①", "١٢", "１２", "१", "Ⅷ", "½", "万", "4²", "-5", "+5", " 5 ", "1_0", "0x10", "1e3", "1e400",
    "1e-400", "1e999999999999999999999", "NaN", "sNaN", "-Infinity", "inf", "", " ", "null", "true",
    "0001-01-01", "9999-12-31", "10000-01-01", "2027-02-30", "２０２７-05-01", "2027-W01-1",
    "20270501", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2027-05-01T10:00:00",
    "2027-05-01T10:00:00+23:59", "24:00", "25:61", "10:30:00+99:99", "10:30Z", "1762300000000",
    "ß" * 3, "ΐΐΐ", "ŉŉŉ", "İ" * 8, "\u202e\u200b", "\U0010ffff", "\x00", "a\x00b", "\ud800", "\\u0000",
    "1" * 10_000, "x" * 10_000, "😀" * 3000, "'; DROP TABLE customers_event; --", "{{7*7}}", "%s%(x)s",
]  # fmt: skip
ODD_NUMBERS = [
    0, -1, 2**31, 2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63) - 1, 10**25, 10**308, 1e308, -1e308,
    5e-324, 0.1, -0.0, 1.5, 1e22, 999999999999.99, 1e12, float("nan"), float("inf"),
]  # fmt: skip
# The fields that the projections read. Other fields go into the details.
FIELDS = [
    "products", "lines", "total", "revenue", "currency", "visit_date", "visit_time", "party",
    "name", "note", "code", "coupon", "line_id", "product_id", "sku", "quantity", "direction",
    "user", "agent", "staff", "cause", "from", "to", "queue", "subject", "role", "birth_date",
    "guardian", "wanted_at", "outcome", "card", "email", "timestamp", "order_id", "customer", "²",
]  # fmt: skip
LINE_FIELDS = [
    "id", "line_id", "product_id", "product", "sku", "name", "quantity", "price", "unit_price",
    "status", "total", "note",
]  # fmt: skip

_scalars = (
    st.sampled_from([*ODD_TEXTS, *ODD_NUMBERS, None, True, False])
    | st.text(max_size=20)
    | st.integers()
    | st.floats()
)
values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
_lines = st.lists(
    st.dictionaries(st.sampled_from(LINE_FIELDS), values, max_size=4) | values, max_size=3
)
# A whole line beside the odd one, so that later events have something to change.
_whole_lines = _lines.map(lambda odd: [{"line_id": "1", "price": "10.00", "quantity": 2}, *odd])
_combined = st.dictionaries(st.sampled_from(FIELDS), values, max_size=6).flatmap(
    lambda odd: st.fixed_dictionaries(
        {}, optional={"products": _whole_lines, "lines": _lines, "line_id": st.just("1")}
    ).map(lambda lines: odd | lines)
)


def uniform(value):
    """Return the properties of an event with one odd value in every field."""
    line = dict.fromkeys(LINE_FIELDS, value)
    lines = [{"line_id": "1", "price": "10.00", "quantity": 2}, line, value]
    return dict.fromkeys(FIELDS, value) | {"line_id": "1", "products": lines, "lines": lines}


properties = _combined | _scalars.map(uniform)


def projected() -> list[tuple[str, str]]:
    """Return each event name that is projected, with the prefix of what it is about."""
    pairs = []
    for kind in registry.ALL:
        module = sys.modules[kind.fold.__module__]
        prefixes = getattr(module, "PREFIXES", None) or (module.PREFIX,)
        pairs += [(name, prefix) for prefix in prefixes for name in sorted(module.NAMES)]
    return pairs
