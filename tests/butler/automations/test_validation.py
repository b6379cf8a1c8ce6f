import re

import pytest

from butler.automations.validation.file import validate_file
from butler.automations.validation.problems import AllowedReferences
from tests.butler.automation_files import content

ALLOWED = AllowedReferences(
    {"offers": "contact", "personalise": "use"},
    {"visits", "offers"},
    {"inbox", "email", "sms", "phone"},
)
TEXT = "steps.0.texts.nl.text"


def problems_of(changes, file="visit-reminder.toml"):
    _, problems = validate_file(file, content(changes), ALLOWED)
    return [(problem.field, problem.reason) for problem in problems]


def test_valid_automation_has_no_problems():
    document, problems = validate_file("visit-reminder.toml", content(), ALLOWED)

    assert problems == []
    assert document.key == "visit-reminder"


@pytest.mark.parametrize(
    ("changes", "field", "why"),
    [
        ({"colour": "red"}, "colour", "no such field"),
        ({"topic": None}, "topic", "is missing"),
        ({"class": "urgent"}, "class", "Invalid"),
        ({"trigger": {"kind": "moon"}}, "trigger.kind", "Invalid"),
        ({"steps.0.chanels": []}, "steps.0", "unknown field `chanels`"),
        ({"steps.0.texts.nl.txt": "x"}, "steps.0.texts", "unknown field `txt`"),
        ({"steps.0.kind": "shout"}, "steps.0.kind", "Invalid"),
        ({"priority": "high"}, "priority", "Expected `int`"),
        ({"key": "Visit Reminder"}, "key", "lower-case letters"),
        ({"key": "other"}, "key", "other.toml"),
        ({"name.da": None}, "name.da", "is missing"),
        ({"name.da": " "}, "name.da", "is missing"),
        ({"languages": ["en", "fr"]}, "languages", "fr is not one of"),
        ({"priority": 0}, "priority", "must be from 1"),
        ({"expires": "soon"}, "expires", "length of time"),
        ({"condition": "ordre.status == 'x'"}, "condition", "ordre"),
        ({"condition": "order.status =="}, "condition", "Failed to parse"),
        ({"topic": "weather"}, "topic", "no topic weather"),
        ({"class": "marketing", "relation": ""}, "purpose", "none is not one"),
        (
            {"class": "marketing", "relation": "", "purpose": "nothing"},
            "purpose",
            "nothing is not one",
        ),
        (
            {"class": "marketing", "relation": "", "purpose": "personalise"},
            "purpose",
            "personalise is not one",
        ),
        ({"class": "marketing", "purpose": "offers"}, "relation", "marketing has no relation"),
        ({"purpose": "offers"}, "purpose", "needs no consent"),
        ({"relation": ""}, "relation", "needs one of"),
        ({"relation": "friendship"}, "relation", "needs one of"),
        ({"class": "answer"}, "relation", "belongs to a request"),
        ({"trigger.event": " "}, "trigger.event", "is missing"),
        (
            {"trigger": {"kind": "absence", "event": "A", "absent": "A", "within": "1h"}},
            "trigger.absent",
            "another",
        ),
        (
            {"trigger": {"kind": "absence", "event": "A", "absent": "B", "within": "1"}},
            "trigger.within",
            "length",
        ),
        (
            {"trigger": {"kind": "date", "date": "order.paid", "at": "09:00"}},
            "trigger.date",
            "order.visit_date",
        ),
        (
            {"trigger": {"kind": "date", "date": "order.visit_date", "at": "9"}},
            "trigger.at",
            "time of day",
        ),
        (
            {
                "trigger": {
                    "kind": "date",
                    "date": "order.visit_date",
                    "at": "09:00",
                    "days_before": -1,
                }
            },
            "trigger.days_before",
            "from 0",
        ),
        (
            {"trigger": {"kind": "schedule", "at": "09:00", "audience": "everyone"}},
            "trigger.days",
            "either",
        ),
        (
            {"trigger": {"kind": "schedule", "at": "09:00", "audience": "everyone", "days": [8]}},
            "trigger.days",
            "Monday",
        ),
        (
            {
                "trigger": {
                    "kind": "schedule",
                    "at": "09:00",
                    "audience": "everyone",
                    "dates": ["2027-02-30"],
                }
            },
            "trigger.dates",
            "2027|day",
        ),
        (
            {"trigger": {"kind": "schedule", "at": "09:00", "audience": "rich", "days": [1]}},
            "trigger.audience",
            "visiting_today",
        ),
        (
            {
                "trigger": {
                    "kind": "schedule",
                    "at": "09:00",
                    "audience": "consented:x",
                    "days": [1],
                }
            },
            "trigger.audience",
            "no purpose x",
        ),
        (
            {"trigger": {"kind": "topic", "topic": "", "status": "down", "audience": "everyone"}},
            "trigger.topic",
            "ride",
        ),
        ({"steps": []}, "steps", "no message and no task"),
        ({"steps": [{"kind": "wait", "length": "1h"}]}, "steps", "no message and no task"),
        ({"steps.0.channels": []}, "steps.0.channels", "at least one"),
        ({"steps.0.channels": ["inbox", "inbox"]}, "steps.0.channels", "each channel once"),
        ({"steps.0.channels": ["pigeon"]}, "steps.0.channels", "pigeon"),
        ({"steps.0.texts.sv": None}, "steps.0.texts.sv", "is missing"),
        ({"languages": ["en", "nl"]}, "steps.0.texts.sv", "is not one of"),
        ({TEXT: ""}, TEXT, "is missing"),
        ({"steps.0.texts.nl.subject": ""}, "steps.0.texts.nl.subject", "is missing"),
        ({"steps.0.texts.nl.subject": "a\nb"}, "steps.0.texts.nl.subject", "one line"),
        ({"steps.0.texts.nl.action": "Look"}, "steps.0.texts.nl.action", "needs both a label"),
        (
            {"steps.0.texts.nl.action": "x", "steps.0.texts.nl.path": "//evil.example"},
            "steps.0.texts.nl.path",
            "own site",
        ),
        (
            {"steps.0.texts.nl.action": "x", "steps.0.texts.nl.path": "javascript:x"},
            "steps.0.texts.nl.path",
            "own site",
        ),
        ({TEXT: "{{ order.nmber }}"}, TEXT, "order.nmber"),
        ({TEXT: "{{ settings.SECRET_KEY }}"}, TEXT, "settings.SECRET_KEY"),
        ({TEXT: "{{ event.foo }}"}, TEXT, "event.foo"),
        ({TEXT: "{% include 'x' %}"}, TEXT, "include|tag"),
        ({TEXT: "{{ order.number | env }}"}, TEXT, "env"),
        ({TEXT: "{{ order.number"}, TEXT, "."),
        (
            {TEXT: "{% for l in order.lines %}{{ l.colour }}{% endfor %}"},
            "steps.0.texts.nl",
            "colour",
        ),
        (
            {TEXT: "{{ customer.first_name }}"},
            "steps.0.texts.nl",
            "without optional values: the text cannot be filled: customer.first_name",
        ),
        (
            {TEXT: "{{ order.visit_date | date }}"},
            "steps.0.texts.nl",
            "without optional values: the text cannot be filled: order.visit_date",
        ),
        ({TEXT: "{{ event.properties.gate }}"}, "steps.0.texts.nl", "event.properties.gate"),
        ({TEXT: "{{ topic.name }}"}, "steps.0.texts.nl", "topic.name"),
        ({TEXT: "{% if customer.first_name %}x{% endif %}"}, "steps.0.texts.nl", "text is empty"),
        ({TEXT: "{{ order.number | date }}"}, "steps.0.texts.nl", "ISO 8601"),
        ({"steps.0.texts.nl.mjml": "<mjml>"}, "steps.0.texts.nl.mjml", "MJML"),
        (
            {
                "steps.0.texts.nl.mjml": "<mjml><mj-body><mj-section><mj-column><mj-text>{{ x.y }}</mj-text></mj-column></mj-section></mj-body></mjml>"
            },
            "steps.0.texts.nl.mjml",
            "x.y",
        ),
        (
            {"steps.0": {"kind": "next_channel", "within": "1h", "channels": ["sms"]}},
            "steps.0",
            "no message before this step",
        ),
        ({"steps.0": {"kind": "wait"}}, "steps.0.length", "either"),
        ({"steps.0": {"kind": "wait", "until": "25:00"}}, "steps.0.until", "time of day"),
        (
            {"steps.0": {"kind": "wait_for", "event": "", "within": "1h"}},
            "steps.0.event",
            "is missing",
        ),
        ({"steps.0": {"kind": "branch", "when": "nonsense("}}, "steps.0.when", "."),
        ({"steps.0": {"kind": "task", "title": "{{ a.b }}"}}, "steps.0.title", "a.b"),
        ({"steps.0": {"kind": "task", "title": " "}}, "steps.0.title", "is missing"),
        ({"steps": [{"kind": "wait", "length": "1h"}] * 41}, "steps", "more than 40"),
    ],
)
def test_each_fault_is_reported_with_its_path_and_reason(changes, field, why):
    assert any(
        where == field and re.search(why, reason) for where, reason in problems_of(changes)
    ), problems_of(changes)


def test_all_problems_are_reported_together():
    problem_pairs = problems_of(
        {"topic": "weather", "expires": "soon", "name.sv": None, TEXT: "{{ a.b }}", "priority": 99}
    )

    assert {field for field, _ in problem_pairs} >= {
        "topic",
        "expires",
        "name.sv",
        TEXT,
        "priority",
    }


def test_all_structure_problems_are_reported_together():
    problem_pairs = problems_of(
        {"colour": "red", "topic": None, "priority": "high", "steps.0.kind": "shout"}
    )

    assert {field for field, _ in problem_pairs} == {"colour", "topic", "steps.0.kind", "priority"}


@pytest.mark.parametrize(
    "text",
    [
        "Hello{% if customer.first_name %} {{ customer.first_name }}{% endif %}.",
        "Hello {{ customer.first_name | default: 'there' }}.",
        "{% if order.visit_date %}On {{ order.visit_date | date }}.{% else %}Soon.{% endif %}",
        "At {{ event.properties.gate | default: 'the gate' }}.",
        "{% for line in order.lines %}{{ line.name }} × {{ line.quantity }}\n{% endfor %}Bye.",
    ],
)
def test_guarded_optional_value_is_valid(text):
    assert problems_of({TEXT: text}) == []


def test_value_of_the_trigger_needs_no_guard():
    ride = {
        "trigger": {
            "kind": "topic",
            "topic": "ride:*",
            "status": "down",
            "audience": "visiting_today",
        },
        TEXT: "{{ topic.name }} is {{ topic.status }}.",
        "relation": "visit",
        "steps.0.texts.en.text": "{{ visit.date | date }} {{ order.number }}",
    }
    birthday = {
        "trigger": {"kind": "date", "date": "member.birth_date", "at": "09:00"},
        TEXT: "{{ member.name }} is {{ member.age_turning }}.",
    }

    assert problems_of(ride) == []
    assert problems_of(birthday) == []
