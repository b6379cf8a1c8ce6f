from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.values import amounts
from customers.values.amounts import StatedAmount, read_amount, read_quantity
from customers.values.currencies import decimal_places
from customers.values.readings import Reading

THIN_SPACE, NO_BREAK_SPACE = "\u202f", "\u00a0"


@pytest.mark.parametrize(
    ("stated", "amount"),
    [
        ("39.50", "39.50"),
        (39.5, "39.50"),
        (39, "39.00"),
        (Decimal("39.5"), "39.50"),
        ("39,50", "39.50"),
        ("39,5", "39.50"),
        (" 39.50 ", "39.50"),
        ("1,234.50", "1234.50"),
        ("1.234,50", "1234.50"),
        (f"1{THIN_SPACE}234,50", "1234.50"),
        (f"1{NO_BREAK_SPACE}234,50", "1234.50"),
        ("1 234,50", "1234.50"),
        ("1'234.50", "1234.50"),
        ("1’234.50", "1234.50"),
        ("12,34,567.50", "1234567.50"),
        ("1,234,567", "1234567.00"),
        ("1.234.567,00", "1234567.00"),
        ("1234.500", "1234.50"),
        ("40.0000", "40.00"),
        ("0.500", "0.50"),
        (".50", "0.50"),
        ("-39.50", "-39.50"),
        ("\u221239,50", "-39.50"),
        ("39.50-", "-39.50"),
        ("39,-", "39.00"),
        ("$39.50", "39.50"),
        ("kr 1 234,50", "1234.50"),
        ("kr. 1.234,50", "1234.50"),
        ("kr.39,50", "39.50"),
        ("-kr. 39,50", "-39.50"),
        ("39,50 kr.", "39.50"),
        ("Rs. 1,234.50", "1234.50"),
        ("1e2", "100.00"),
        (0.1 + 0.2, "0.30"),
        (-0.0, "0.00"),
    ],
    ids=repr,
)
def test_amount_with_one_meaning_is_read(stated, amount):
    assert read_amount(stated) == StatedAmount(Decimal(amount))


@pytest.mark.parametrize(
    ("stated", "amount", "currency"),
    [
        ("€ 39,50", "39.50", "EUR"),
        ("39,50 €", "39.50", "EUR"),
        ("-€ 39,50", "-39.50", "EUR"),
        ("€ -39,50", "-39.50", "EUR"),
        ("39.50 EUR", "39.50", "EUR"),
        ("usd 39.50", "39.50", "USD"),
        ("£1,234.50", "1234.50", "GBP"),
        ("KWD 1.250", "1.250", "KWD"),
        ({"amount": "39,50", "currency": "EUR"}, "39.50", "EUR"),
        ({"value": 39.5, "currency": "eur"}, "39.50", "EUR"),
        ({"amount": "39.50", "currency_code": "EUR"}, "39.50", "EUR"),
        ({"shop_money": {"amount": "39.50", "currency_code": "EUR"}}, "39.50", "EUR"),
        ({"amount": 3950, "currency": "eur", "unit": "cents"}, "39.50", "EUR"),
        ({"amount": 3950, "currency": "jpy", "unit": "minor"}, "3950", "JPY"),
        ({"unit_amount": 3950, "currency": "kwd"}, "3.950", "KWD"),
    ],
    ids=repr,
)
def test_amount_with_its_currency_is_read(stated, amount, currency):
    assert read_amount(stated) == StatedAmount(Decimal(amount), currency)


@pytest.mark.parametrize(
    ("stated", "currency", "amount"),
    [
        ("1000", "JPY", "1000"),
        ("1000.00", "JPY", "1000"),
        (1000, "JPY", "1000"),
        ("1.25", "KWD", "1.250"),
        ("1.234", "KWD", "1.234"),
        ("1.2345", "CLF", "1.2345"),
        ("5", "EUR", "5.00"),
        ("5", "", "5.00"),
        ("5", "XYZ", "5.00"),
    ],
    ids=repr,
)
def test_amount_has_the_decimal_places_of_its_currency(stated, currency, amount):
    assert str(read_amount(stated, currency).value) == amount


@pytest.mark.parametrize(
    ("stated", "currency", "amount"),
    [(3950, "EUR", "39.50"), ("3950", "EUR", "39.50"), (3950, "JPY", "3950"), (3950, "KWD", "3.950"), (-50, "EUR", "-0.50")], ids=repr)  # fmt: skip
def test_amount_in_a_declared_minor_unit_is_read(stated, currency, amount):
    assert str(read_amount(stated, currency, is_minor=True).value) == amount


@pytest.mark.parametrize(
    "stated", ["1.234", "1,234", "6,795", "12.500", "39.999", "€ 1.234", "999.999"], ids=repr
)
def test_amount_with_two_meanings_is_a_doubt(stated):
    assert read_amount(stated, "EUR") == StatedAmount(doubt=amounts.AMBIGUOUS_AMOUNT)


@pytest.mark.parametrize(
    "stated",
    [
        "ten", "free", "n/a", "10%", "(5.00)", "5.00.00", "1,234,56", "1.23.456", "1,234.567,890", "--5",
        "-5-", "²", "４2", "1_0", "٣٩", "NaN", "Infinity", "1e99", "€", ",", ".", "-", "5 apples", "EUR 5 €",
        True, [], ["5"], {}, {"amount": {}}, {"currency": "EUR"}, float("nan"), float("inf"), 1e308, 10**12,
        "1000000000000", "9" * 50, Decimal("sNaN"),
    ], ids=repr)  # fmt: skip
def test_unreadable_amount_is_a_doubt(stated):
    assert read_amount(stated) == StatedAmount(doubt=amounts.UNREADABLE_AMOUNT)


@pytest.mark.parametrize(
    "stated", ["5 USD", "$ 5 EUR", "£5", {"amount": 5, "currency": "USD"}], ids=repr
)
def test_amount_in_another_currency_is_no_amount_of_the_order(stated):
    assert read_amount(stated, "EUR").value is None
    assert read_amount("$5", "EUR").value == 5


@pytest.mark.parametrize(
    ("stated", "currency", "amount"),
    [("100.50", "JPY", "101"), (100.5, "JPY", "101"), (13.333333, "EUR", "13.33"), ("0.125", "EUR", "0.13")], ids=repr)  # fmt: skip
def test_rounded_amount_is_named_as_rounded(stated, currency, amount):
    assert read_amount(stated, currency) == StatedAmount(
        Decimal(amount), doubt=amounts.ROUNDED_AMOUNT
    )


def test_fraction_of_a_minor_unit_is_a_doubt():
    assert read_amount("39.5", "EUR", is_minor=True) == StatedAmount(
        doubt=amounts.UNREADABLE_AMOUNT
    )


@pytest.mark.parametrize("stated", [None, ""], ids=repr)
def test_missing_amount_is_no_doubt(stated):
    assert read_amount(stated) == StatedAmount()


@given(
    st.decimals(-(10**9), 10**9, places=2, allow_nan=False),
    st.sampled_from(["{:.2f}", "{:,.2f}", "€ {:,.2f}", "{:,.2f} EUR"]),
)
def test_written_amount_is_read_again(amount, form):
    text = form.format(amount)

    assert read_amount(text, "EUR").value == amount
    swapped = text.translate(str.maketrans(".,", ",."))
    assert read_amount(swapped, "EUR").value == amount


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["amount", "value", "currency", "unit", "shop_money"]), inner
        )
    ),
    max_leaves=5,
)


@given(VALUES, st.sampled_from(["", "EUR", "JPY", "KWD"]), st.booleans())
def test_no_value_is_an_error(stated, currency, is_minor):
    amount = read_amount(stated, currency, is_minor=is_minor)

    assert amount.value is None or amount.value.is_finite()
    assert read_quantity(stated).value is None or isinstance(read_quantity(stated).value, int)


@pytest.mark.parametrize(
    ("stated", "quantity"),
    [(2, 2), (2.0, 2), ("2", 2), ("2.0", 2), ("2,00", 2), (" 2 ", 2), (-1, -1), ("-1", -1), ("+4", 4), (0, 0)], ids=repr)  # fmt: skip
def test_quantity_is_read(stated, quantity):
    assert read_quantity(stated) == Reading(quantity)


@pytest.mark.parametrize(
    "stated",
    ["two", "²", "2.5", 2.5, "1,000", "1.000", "1e3", True, [], {}, 10**9, "9" * 10, float("nan")],
    ids=repr,
)
def test_unreadable_quantity_is_a_doubt(stated):
    assert read_quantity(stated) == Reading(doubt=amounts.UNREADABLE_QUANTITY)


def test_table_of_currencies_agrees_with_iso_4217():
    places = {
        code: decimal_places(code) for code in ("EUR", "USD", "JPY", "KWD", "ISK", "CLF", "HUF", "")
    }

    assert places == {"EUR": 2, "USD": 2, "JPY": 0, "KWD": 3, "ISK": 0, "CLF": 4, "HUF": 2, "": 2}
