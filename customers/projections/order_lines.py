"""Reads, changes and adds up the lines of an order. Pure."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

from customers.projections.projected_events import parse_text
from customers.values.amounts import StatedAmount, read_amount, read_quantity, round_amount
from customers.values.readings import Reading

# An order with more lines is a mistake. The projection leaves the others out.
MAX_LINES = 1000
# A text of JSON with more brackets may be nested too deep for a decoder.
_MAX_BRACKETS = 1000
UNREADABLE_LINES = "unreadable_lines"
TOO_MANY_LINES = "too_many_lines"

LINES = ("products", "lines", "line_items", "refund_line_items", "items")
ID_NAMES = ("line_id", "lineId", "line_item_id", "id")
PRODUCT_NAMES = ("product_id", "productId", "product")
_NAME_NAMES = ("name", "title", "product_name", "productName")
_PRICE_NAMES = ("unit_price", "unitPrice", "price", "item_price")
_QUANTITY_NAMES = ("quantity", "qty")
_MINOR_SUFFIXES = ("_cents", "_in_cents", "_minor")


class OrderLine(msgspec.Struct):
    """A line of an order. A negative quantity is a return; None is a quantity that is not known.

    The quantity of an ordered line is without its cancelled and refunded part.
    """

    id: str
    product: str = ""
    name: str = ""
    quantity: int | None = 1
    unit_price: Decimal | None = None
    status: str = "ordered"
    refunded_quantity: int = 0
    details: dict[str, object] = {}
    # The codes of what Butler could not read, by field.
    doubts: dict[str, str] = {}

    @property
    def total(self) -> Decimal:
        """The unit price times the quantity; 0 if one of them is unknown."""
        return (self.unit_price or Decimal(0)) * (self.quantity or 0)

    @property
    def sku(self) -> str:
        """The number of the product in the warehouse; empty if it is unknown."""
        return parse_text(self.details, "sku") or self.product


def in_all_units(names: Iterable[str]) -> frozenset[str]:
    """Return the names of amounts, and those with a suffix such as _cents."""
    return frozenset(name + suffix for name in names for suffix in ("", *_MINOR_SUFFIXES))


_PRICE_FIELDS = in_all_units(_PRICE_NAMES)
# The fields of a line in all their spellings. Other fields of a document are its details.
LINE_FIELDS = _PRICE_FIELDS | frozenset(
    {*ID_NAMES, *PRODUCT_NAMES, *_NAME_NAMES, *_QUANTITY_NAMES, "status", "total"}
    | {"refunded_quantity", "doubts"}
)
# The fields of a line that only the company sets.
_COMPANY_FIELDS = _PRICE_FIELDS | in_all_units(("amount", "refund_amount", "subtotal", "total"))


class LineDocuments(msgspec.Struct):
    """The lines of an event as JSON objects, or the doubt about them."""

    documents: list[dict[str, object]]
    doubt: str = ""


def stated_lines(properties: Mapping[str, object]) -> LineDocuments | None:
    """Return the lines that an event states; None if it states none."""
    for name in LINES:
        if name in properties:
            documents = _line_documents(properties[name])
            if documents is None:
                return LineDocuments([], UNREADABLE_LINES)
            doubt = TOO_MANY_LINES if len(documents) > MAX_LINES else ""
            return LineDocuments(documents[:MAX_LINES], doubt)
    return None


def _line_documents(value: object) -> list[dict[str, object]] | None:
    """Return the objects of a list, a map, or a text of JSON; None if the value is neither."""
    if isinstance(value, str):
        value = _decoded(value)
    if isinstance(value, dict):
        if isinstance(value.get("data"), list):
            value = value["data"]
        elif all(isinstance(line, dict) for line in value.values()):
            # PostgreSQL keeps the fields of an object in this order.
            value = [value[key] for key in sorted(value, key=lambda key: (len(key), key))]
        else:
            value = [value]
    if value is None:
        return []
    if not isinstance(value, list):
        return None
    documents = [document for document in value if isinstance(document, dict)]
    return documents if documents or not value else None


def without_prices(properties: Mapping[str, object]) -> dict[str, object]:
    """Return the properties of an event without the prices of its lines."""
    priceless: dict[str, object] = dict(properties)
    for name in LINES:
        if name in properties and (documents := _line_documents(properties[name])) is not None:
            priceless[name] = [
                {field: value for field, value in document.items() if field not in _COMPANY_FIELDS}
                for document in documents
            ]
    return priceless


def _decoded(text: str) -> object:
    """Return the value of a text of JSON; the text itself if it cannot be decoded."""
    if text.count("[") + text.count("{") > _MAX_BRACKETS or "\\u0000" in text:
        return text
    try:
        return msgspec.json.decode(text) if text.strip() else None
    except (msgspec.DecodeError, UnicodeEncodeError):
        return text


def line_from_document(
    document: Mapping[str, object], number: int, currency: str, *, is_minor: bool = False
) -> OrderLine:
    """Return the line from a document. Without an id in the document, its number is its id."""
    price = amount_of(document, _PRICE_NAMES, currency, is_minor=is_minor)
    quantity = read_quantity(_first(document, _QUANTITY_NAMES))
    product = parse_text(document, *PRODUCT_NAMES)
    doubts = {}
    if price.doubt or quantity.doubt:
        stated = {"unit_price": price.doubt, "quantity": quantity.doubt}
        doubts = {field: doubt for field, doubt in stated.items() if doubt}
    return OrderLine(
        id=parse_text(document, *ID_NAMES) or str(number),
        product=product or parse_text(document, "sku"),
        name=parse_text(document, *_NAME_NAMES),
        quantity=None if quantity.doubt else 1 if quantity.value is None else quantity.value,
        unit_price=price.value,
        details={
            name: value
            for name, value in document.items()
            if name not in LINE_FIELDS and (name != "sku" or product)
        },
        doubts=doubts,
    )


def amount_of(
    document: Mapping[str, object], names: Iterable[str], currency: str, *, is_minor: bool
) -> StatedAmount:
    """Return the first stated amount of these fields, or of those with a suffix such as _cents."""
    for name in names:
        value = document.get(name)
        if value is not None and value != "":
            return read_amount(value, currency, is_minor=is_minor)
    if any(name.endswith(_MINOR_SUFFIXES) for name in document):
        for name in (name + suffix for name in names for suffix in _MINOR_SUFFIXES):
            if document.get(name) not in (None, ""):
                return read_amount(document[name], currency, is_minor=True)
    return _NO_AMOUNT


_NO_AMOUNT = StatedAmount()


def _first(document: Mapping[str, object], names: Iterable[str]) -> object:
    for name in names:
        value = document.get(name)
        if value is not None and value != "":
            return value
    return None


def amend_line(current: OrderLine, stated: OrderLine, document: Mapping[str, object]) -> None:
    """Copy the fields of a line that the document contains. Unreadable ones do not change."""
    current.status = "ordered"
    current.details = {**current.details, **stated.details}
    current.product = stated.product or current.product
    current.name = stated.name or current.name
    doubts = {**current.doubts, **stated.doubts}
    if stated.quantity is not None and _first(document, _QUANTITY_NAMES) is not None:
        current.quantity = stated.quantity
        doubts.pop("quantity", None)
    if stated.unit_price is not None:
        current.unit_price = stated.unit_price
        if "unit_price" not in stated.doubts:
            doubts.pop("unit_price", None)
    current.doubts = doubts


def lines_total(lines: Iterable[OrderLine], currency: str) -> Decimal:
    """Return the total of the lines with the status "ordered"."""
    total = sum((line.total for line in lines if line.status == "ordered"), Decimal(0))
    return round_amount(total, currency)


class LinePart(msgspec.Struct, frozen=True):
    """A quantity that was cancelled or refunded of a line, and its price."""

    id: str
    quantity: int
    # None if the unit price is unknown.
    amount: Decimal | None


def reduce_lines(
    lines: Iterable[OrderLine], document: Mapping[str, object], amount: Decimal | None, status: str
) -> list[LinePart]:
    """Cancel or refund the line that a document names, by its id, product or sku.

    amount: the amount that the document states. Without a quantity, it may be less than the line
    costs; the line then stays. Returns the cancelled or refunded parts of lines, with quantity and
    amount: in all at most the quantity of the document.
    """
    named = _named_lines(lines, document)
    quantity = read_quantity(_first(document, _QUANTITY_NAMES)) if named else Reading[int]()
    if quantity.doubt or not named:
        return []
    if quantity.value is None and amount is not None and amount < sum(line.total for line in named):
        return [LinePart(named[0].id, 0, amount)]
    rest = None if quantity.value is None else abs(quantity.value)
    parts = []
    for line in named:
        if rest is None or rest > 0:
            parts.append(_reduce(line, rest, status))
            rest = None if rest is None else rest - parts[-1].quantity
    if amount is not None and parts:
        others = [LinePart(part.id, part.quantity, Decimal(0)) for part in parts[1:]]
        return [LinePart(parts[0].id, parts[0].quantity, amount), *others]
    return parts


def _named_lines(lines: Iterable[OrderLine], document: Mapping[str, object]) -> list[OrderLine]:
    """Return the ordered lines with the id, the product or the sku that a document names."""
    ordered = [line for line in lines if line.status == "ordered"]
    line_id = parse_text(document, *ID_NAMES)
    product = parse_text(document, *PRODUCT_NAMES)
    sku = parse_text(document, "sku")
    return (
        [line for line in ordered if line_id and line.id == line_id]
        or [line for line in ordered if product and product in (line.product, line.id)]
        or [line for line in ordered if sku and sku in (line.sku, line.product, line.id)]
        or [line for line in ordered if line_id and line_id in (line.product, line.sku)]
    )


def _reduce(line: OrderLine, quantity: int | None, status: str) -> LinePart:
    whole = line.quantity or 0
    size = abs(whole) if quantity is None else min(quantity, abs(whole))
    signed = size if whole >= 0 else -size
    is_priced = line.unit_price is not None and line.quantity is not None
    amount = (line.unit_price or Decimal(0)) * signed if is_priced else None
    if size == abs(whole):
        line.status = status
    else:
        line.quantity = whole - signed
    if status == "refunded":
        line.refunded_quantity += signed
    return LinePart(line.id, size, amount)
