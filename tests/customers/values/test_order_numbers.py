import pytest

from customers.values.order_numbers import (
    number_of_year,
    sent_number,
    shown_number,
    without_separator,
)


@pytest.mark.parametrize("number", ["1001", "1001·2027", "A-1", "·2", "10·01·2028"])
@pytest.mark.parametrize("place", [1, 2, 999])
def test_sent_number_is_read_from_the_shown_one(number, place):
    assert sent_number(shown_number(number, place)) == number


@pytest.mark.parametrize("number", ["1001·0", "1001·02", "1001·2027", "1001·x", "·2", "1001"])
def test_text_without_a_place_is_the_sent_number(number):
    assert sent_number(number) == number


def test_year_is_added_once():
    assert number_of_year("1001", 2027) == "1001·2027"
    assert number_of_year(number_of_year("1001", 2027), 2028) == "1001·2027"


def test_separator_in_a_number_of_a_source_is_replaced():
    assert without_separator("10·01") == "10-01"
