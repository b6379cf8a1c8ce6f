import re

import pytest

from butler.messages.sanitize import sanitize_values
from butler.messages.templating import MissingValues, compile_template

CONTEXT = {
    "customer": {"first_name": "Noor", "zone": "Europe/Amsterdam"},
    "order": {
        "number": "LK-2048-17",
        "visit_date": "2027-04-18",
        "visit_time": "10:00",
        "total": "1234.50",
        "currency": "EUR",
        "party": [{"name": "Noor"}, {"name": "Sem"}, {"name": "Mila"}],
    },
    "now": "2027-04-16T07:00:00+00:00",
}


def rendered(text, language="en", context=CONTEXT):
    """Return the text as rendered in a language, with the time zone of Amsterdam."""
    values = {**sanitize_values(context), "language": language, "zone": "Europe/Amsterdam"}
    return compile_template(text).fill(values)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "18 April|Sunday 18 April|18 April 2027|10:00|€1,234.50|Noor, Sem and Mila"),
        ("nl", "18 april|zondag 18 april|18 april 2027|10:00|€ 1.234,50|Noor, Sem en Mila"),
        ("sv", "18 april|söndag 18 april|18 april 2027|10:00|1 234,50 €|Noor, Sem och Mila"),
        ("da", "18. april|søndag 18. april|18. april 2027|10.00|1.234,50 €|Noor, Sem og Mila"),
    ],
)
def test_filters_format_dates_times_amounts_and_names_in_each_language(language, words):
    text = (
        "{{ order.visit_date | date }}|{{ order.visit_date | date: 'weekday' }}|"
        "{{ order.visit_date | date: 'year' }}|{{ order.visit_time | time }}|"
        "{{ order.total | money: order.currency }}|{{ order.party | map: 'name' | list }}"
    )

    output = rendered(text, language=language)

    assert re.sub("\\s", " ", output) == words


@pytest.mark.parametrize("currency", [None, ""])
def test_amount_without_a_currency_is_formatted_as_a_number(currency):
    context = {"order": {"total": "1234.5", "currency": currency}}

    assert rendered("{{ order.total | money: order.currency }}", context=context) == "1,234.50"


@pytest.mark.parametrize("total", ["NaN", "Infinity", "1e400", "many", "9" * 40])
def test_invalid_amount_is_refused(total):
    with pytest.raises(MissingValues):
        rendered("{{ order.total | money: 'EUR' }}", context={"order": {"total": total}})


def test_empty_list_is_an_error():
    text = "We expect {{ order.party | map: 'name' | list }}."
    nobody = {"order": {"party": []}}

    with pytest.raises(MissingValues):
        rendered(text, context=nobody)
    guarded = "Hello.{% if order.party.size > 0 %} " + text + "{% endif %}"
    assert rendered(guarded, context=nobody) == "Hello."
    assert rendered(guarded) == "Hello. We expect Noor, Sem and Mila."


def test_first_word_filter_returns_the_first_name():
    member = {"member": {"name": "Sem de Wit"}}

    assert rendered("{{ member.name | first_word }}", context=member) == "Sem"


def test_instant_is_formatted_in_the_customers_zone():
    assert rendered("{{ now | time }} {{ now | date }}") == "09:00 16 April"


def test_late_instant_has_the_date_of_the_customers_zone():
    context = {**CONTEXT, "now": "2027-04-16T22:30:00+00:00"}

    assert rendered("{{ now | date }} {{ now | time }}", context=context) == "17 April 00:30"


@pytest.mark.parametrize(
    "text",
    [
        "{{ customer.first_name | date }}",
        "{{ order.visit_date | time }}",
        "{{ order.number | money }}",
    ],
)
def test_value_with_a_wrong_type_is_an_error(text):
    with pytest.raises(MissingValues):
        rendered(text)


def test_list_filter_skips_missing_elements():
    context = {"order": {"party": [{"name": "Noor"}, {}, {"name": None}, {"name": ""}]}}

    assert rendered("{{ order.party | map: 'name' | list }}", context=context) == "Noor"
    assert rendered("{{ order.party | map: 'name' | compact | size }}", context=context) == "1"
