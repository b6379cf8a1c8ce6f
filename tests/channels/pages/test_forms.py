from datetime import UTC, datetime

import pytest
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

from channels.pages import forms
from channels.pages.forms import InvalidForm
from customers.consent.preferences import parse_value
from customers.consent.state import Consent, Setting, State

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
TOPICS = ("visits", "offers")
NOTICE = "a" * 64


def _state(*settings: Setting, **fields) -> State:
    return State(settings=settings, **fields)


def _allow(value: bool, channel: str, topic: str) -> Setting:
    return Setting("allow", value, "entry", channel, topic)


def _read(name, fields, state=None):
    posted = QueryDict(mutable=True)
    posted.update(MultiValueDict(fields))
    return forms.read_statements(name, posted, state or State(), topics=TOPICS, now=NOON)


def _columns(words) -> list[tuple]:
    return [(word.kind, word.subject, word.channel, word.topic, word.value) for word in words]


@pytest.mark.parametrize(
    ("state", "answer", "kinds"),
    [
        ({}, "yes", ["consent.given"]),
        ({}, "no", ["consent.refused"]),
        ({"consents": {"offers": Consent("given", "e", NOON)}}, "no", ["consent.withdrawn"]),
        ({"consents": {"offers": Consent("withdrawn", "e", NOON)}}, "no", ["consent.refused"]),
        ({"consents": {"offers": Consent("expired", "e", NOON)}}, "yes", ["consent.given"]),
        ({"objections": {"offers": "e"}}, "yes", ["objection.lifted", "consent.given"]),
        ({"objections": {"offers": "e"}}, "no", ["consent.refused"]),
        # The objection to all advertising has another form, and this form does not lift it.
        ({"objections": {"marketing": "e"}}, "yes", ["consent.given"]),
    ],
)
def test_yes_and_no_are_one_word_of_the_customer(state, answer, kinds):
    fields = {"purpose": ["offers"], "answer": [answer], "notice": [NOTICE], "language": ["en"]}

    words = _read("consent", fields, State(**state))

    assert [word.kind for word in words] == kinds
    assert all(word.subject == "offers" for word in words)
    assert words[-1].notice == NOTICE
    assert words[-1].evidence["kind"] == "click"


@pytest.mark.parametrize("form", [{}, {"answer": ["perhaps"]}, {"answer": []}])
def test_answer_other_than_yes_or_no_is_invalid(form):
    with pytest.raises(InvalidForm):
        _read("consent", {"purpose": ["offers"], **form})
    with pytest.raises(InvalidForm):
        _read("objection", form)
    with pytest.raises(InvalidForm):
        _read("person-first", form)


def test_only_changed_switches_become_statements():
    on = ["inbox:*", "email:*", "email:visits"]
    form = {"on": [*on, "sms:visits"], "was": [*on, "email:offers"]}

    words = _read("channels", form, _state())

    assert _columns(words) == [
        ("preference.set", "allow", "email", "offers", False),
        ("preference.set", "allow", "sms", "visits", True),
    ]


def test_a_switch_that_lay_open_while_it_changed_elsewhere_does_not_change_back():
    # The page showed the switch as on. It was switched off by phone later, and not changed here.
    form = {"on": ["email:offers"], "was": ["email:offers", "sms:offers"]}

    words = _read("channels", form, _state(_allow(False, "email", "offers")))

    assert [(word.channel, word.topic) for word in words] == [("sms", "offers")]


def test_switching_a_channel_off_clears_its_topics():
    state = _state(_allow(True, "email", "offers"), _allow(True, "sms", "offers"))
    shown = ["email:*", "email:offers", "email:visits", "sms:*", "sms:offers"]
    form = {"was": shown, "on": [switch for switch in shown if switch != "email:*"]}

    words = _read("channels", form, state)

    assert _columns(words) == [
        ("preference.set", "allow", "email", "*", False),
        ("preference.cleared", "allow", "email", "offers", None),
    ]


def test_channels_form_without_a_changed_switch_is_invalid():
    with pytest.raises(InvalidForm, match="nothing"):
        _read("channels", {"on": ["email:*"], "was": ["email:*"]}, _state())


def test_switch_of_an_unknown_channel_or_topic_is_invalid():
    with pytest.raises(InvalidForm):
        _read("channels", {"on": ["fax:*", "email:nonsense", "x"]}, _state())


@pytest.mark.parametrize(
    ("name", "form", "value"),
    [
        ("budget", {"most": ["3"], "per": ["week"]}, {"most": 3, "per": "week"}),
        ("budget", {"most": ["0"], "per": ["day"]}, {"most": 0, "per": "day"}),
        (
            "quiet_hours",
            {"from": ["21:00"], "to": ["08:30"], "day": list("1234567")},
            {"from": "21:00", "to": "08:30"},
        ),
        (
            "quiet_hours",
            {"from": ["21:00"], "to": ["08:30"], "day": ["7", "6"]},
            {"from": "21:00", "to": "08:30", "days": [6, 7]},
        ),
        ("pause", {"days": ["7"]}, "2026-11-28T12:00:00+00:00"),
        ("zone", {"zone": ["Europe/Stockholm"]}, "Europe/Stockholm"),
        ("language", {"language": ["sv"]}, "sv"),
        ("channel_order", {"channel": ["sms", "", "email", ""]}, ["sms", "email"]),
        ("only_when_i_ask", {"answer": ["yes"]}, True),
        ("person_first", {"answer": ["no"]}, False),
    ],
)
def test_a_setting_is_read_into_the_shape_that_is_obeyed(name, form, value):
    [word] = _read(name.replace("_", "-"), form)

    assert (word.kind, word.subject, word.value) == ("preference.set", name, value)
    parse_value(name, word.value)


def test_use_of_data_is_said_of_its_purpose():
    [word] = _read("data-use", {"answer": ["no"], "purpose": ["combine"]})

    assert (word.subject, word.topic, word.value) == ("data_use", "combine", False)


@pytest.mark.parametrize("name", ["budget", "quiet_hours", "pause", "zone", "person_first"])
def test_any_setting_can_be_cleared(name):
    [word] = _read(name.replace("_", "-"), {"do": ["clear"]})

    assert (word.kind, word.subject, word.value) == ("preference.cleared", name, None)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("budget", {}),
        ("budget", {"most": ["-1"], "per": ["week"]}),
        ("budget", {"most": ["9999999999999999999"], "per": ["week"]}),
        ("budget", {"most": ["²"], "per": ["week"]}),
        ("budget", {"most": ["3"], "per": ["year"]}),
        ("quiet_hours", {"from": ["21:00"], "to": ["08:00"]}),
        ("quiet_hours", {"from": [""], "to": ["08:00"], "day": ["1"]}),
        ("quiet_hours", {"from": ["21:00"], "to": ["08:00"], "day": ["", "8", "12"]}),
        ("pause", {"days": ["100000"]}),
        ("zone", {"zone": ["Europe"]}),
        ("zone", {"zone": ["Mars/Olympus"]}),
        ("channel_order", {"channel": ["sms", "sms"]}),
        ("channel_order", {"channel": ["fax"]}),
        ("channel_order", {"channel": [""]}),
        ("nonsense", {"answer": ["yes"]}),
        ("nonsense", {"do": ["clear"]}),
        ("allow", {"answer": ["yes"]}),
    ],
    ids=str,
)
def test_invalid_setting_is_refused(name, form):
    with pytest.raises(InvalidForm):
        _read(name.replace("_", "-"), form)
