"""Invalid values of one customer fail alone, with a reason, and stop nothing for others."""

from contextlib import suppress

import pytest

from butler.actions import dispatch_gate
from butler.decisions.inputs import read_facts
from butler.messages.templating import MissingValues, compile_template
from butler.models import Message
from tests.butler import arrange, live_automations
from tests.butler.arrange import NOON

# Each of these is a moment that ISO 8601 can write and a calendar cannot hold, or no moment.
ODD = (
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-23:59",
    "0001-01-01",
    "9999-12-31",
    "2027-W01-1",
    "24:00",
    "T12",
    "",
    None,
    True,
    -1,
    1e308,
    10**300,
    "1e999999999",
    "-0",
    "NaN",
    "\ud800",
    "x" * 100_000,
    [],
    [[]] * 500,
    {"a": {"b": []}},
    {"size": 1, "first": 2, "__class__": 3},
)
READS = (
    "{{ v }}",
    *(f"{{{{ v | {name} }}}}" for name in ("date", "time", "money", "list", "first_word")),
    *("{{ v | date: 'year' }}", "{{ v | date: v }}", "{{ v | money: v }}", "{{ 1 | money: v }}"),
    *("{{ v | plus: v }}", "{{ v | minus: v }}", "{{ 1 | plus: v }}", "{{ v | truncate: v }}"),
    *("{{ v | map: v }}", "{{ v | where: v, v }}", "{{ v | uniq | compact | size }}"),
    *("{{ v | first | last }}", "{{ v | upcase | strip | capitalize | downcase }}", "{{ v.a.b }}"),
    *("{{ v[v] }}", "{% for a in v limit: v %}{{ a }}{% endfor %}", "{% if v > 1 %}x{% endif %}"),
    *("{% if v contains v %}x{% endif %}", "{% case v %}{% when v %}x{% endcase %}"),
)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Niue", "../../etc/passwd", "\x00"])
@pytest.mark.parametrize("value", ODD, ids=lambda value: ascii(value)[:30])
def test_template_with_an_invalid_value_renders_or_reports_it_missing(value, zone):
    for source in READS:
        # Anything but these two stops the batch that it is in.
        with suppress(MissingValues):
            filled_text = compile_template(source).fill(
                {"v": value, "zone": zone, "language": "nl"}
            )
            assert isinstance(filled_text, str)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("odd", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"])
def test_message_with_an_impossible_date_fails_alone(odd):
    arrange.vocabulary()
    text = {"subject": "We call you", "text": "On {{ request.wanted_at | date }}."}
    version = live_automations.automation(
        "callback",
        steps=[{"kind": "message", "channels": ["inbox"], "texts": {"en": text, "nl": text}}],
        topic="offers",
        relation="",
        purpose="offers",
        **{"class": "marketing"},
    )
    for wanted_at, zone in ((odd, "Pacific/Kiritimati"), (odd, "Pacific/Niue"), ("2027-05-01", "")):
        guest = arrange.guest()
        arrange.record_statement(guest, "consent.given", "offers")
        facts = {"customer": {"zone": zone}, "request": {"wanted_at": wanted_at}}
        arrange.message(guest, channel="inbox", version_id=version.pk, step="0", facts=facts)

    claimed = dispatch_gate.claim(
        channel="inbox",
        provider="x",
        now=NOON,
        limit=25,
        lease=10,
        links=lambda claimed_message: {},
    )

    assert len(claimed.outgoing) >= 1
    assert sorted(Message.objects.values_list("state", "reason")) == sorted(
        [("sending", "")] * len(claimed.outgoing)
        + [("failed", "missing_value")] * (3 - len(claimed.outgoing))
    )
    assert read_facts([claimed.outgoing[0].customer_id], now=NOON)
