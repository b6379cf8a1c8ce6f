import re
from html.parser import HTMLParser

import msgspec
import pytest

from butler.document import AutomationDocument
from butler.messages.render import button, render
from butler.messages.templating import InvalidTemplate, MissingValues
from butler.types import RenderedMessage
from tests.cost import count_calls

LINKS = {
    "site": "https://larkmoor.example",
    "why": "https://larkmoor.example/why/1/",
    "preferences": "https://larkmoor.example/preferences/",
    "unsubscribe": "https://larkmoor.example/unsubscribe/token",
}
CONTEXT = {
    "customer": {"first_name": "Noor", "zone": "Europe/Amsterdam", "language": "nl"},
    "order": {
        "number": "LK-2048-17",
        "visit_date": "2027-04-18",
        "visit_time": "10:00",
        "total": "1234.50",
        "currency": "EUR",
        "party": [{"name": "Noor"}, {"name": "Sem"}, {"name": "Mila"}],
        "lines": [{"name": "Adult", "quantity": 2}, {"name": "Child", "quantity": 1}],
    },
    "company": {"name": "Larkmoor"},
    "now": "2027-04-16T07:00:00+00:00",
}
LANGUAGES = ("en", "nl", "sv", "da")


def document(text: str = "Hello {{ customer.first_name }}.", **fields) -> AutomationDocument:
    """Return an automation with the same text in all languages."""
    own = {
        key: fields.pop(key)
        for key in ("subject", "short", "mjml", "action", "path")
        if key in fields
    }
    localized_text = {"subject": "Your visit", "text": text, **own}
    return msgspec.convert(
        {
            "key": "reminder",
            "name": dict.fromkeys(LANGUAGES, "Reminder"),
            "trigger": {"kind": "event", "event": "Order Completed"},
            "class": "service",
            "relation": "order",
            "topic": "visits",
            "expires": "2d",
            "steps": [
                {"kind": "wait", "length": "1h"},
                {
                    "kind": "branch",
                    "when": "true",
                    "then": [
                        {
                            "kind": "message",
                            "channels": ["inbox", "email", "sms"],
                            "texts": dict.fromkeys(LANGUAGES, localized_text),
                        }
                    ],
                },
            ],
            **fields,
        },
        AutomationDocument,
    )


def rendered(
    text="Hello.", channel="inbox", language="en", context=CONTEXT, **fields
) -> RenderedMessage:
    return render(document(text, **fields), "1.then.0", channel, context, LINKS, language)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("{{ order.name }}", ("order.name",)),
        ("{{ order.name }} {{ topic.status }}", ("order.name",)),
        ("{{ topic.name }} {{ topic.status }}", ("topic.name", "topic.status")),
        ("{% if order.name %}{{ order.name }}{% endif %}{{ topic.name }}", ("topic.name",)),
        ("{{ order.visit_date | date }}{{ order.name | upcase }}", ("order.name",)),
        ("{% for one in topic.facts.rides %}{{ one }}{% endfor %}", ("topic.facts.rides",)),
        ("{{ customer.card }}", ("customer.card",)),
        ("{{ topic.name | date }}", ("topic.name",)),
        ("{{ topic.name | list }}", ("topic.name",)),
        ("{{ topic.name | money }}", ("topic.name",)),
    ],
)
def test_missing_value_is_an_error(text, names):
    empty = {**CONTEXT, "customer": {"first_name": "Noor", "card": ""}}

    with pytest.raises(MissingValues) as missing:
        rendered(text, context=empty)

    assert missing.value.names == names


@pytest.mark.parametrize("nothing", [None, ""])
def test_null_and_empty_values_count_as_missing(nothing):
    context = {**CONTEXT, "customer": {"first_name": nothing}}

    with pytest.raises(MissingValues):
        rendered("Hello {{ customer.first_name }}.", context=context)
    assert (
        rendered(
            "Hello{% if customer.first_name %} {{ customer.first_name }}{% endif %}.",
            context=context,
        ).text
        == "Hello."
    )
    assert (
        rendered("Hello {{ customer.first_name | default: 'there' }}.", context=context).text
        == "Hello there."
    )


HOSTILE = [
    "{{7*7}}",
    "{{ customer.first_name }}",
    "{% include 'secrets' %}",
    "{% raw %}",
    "<script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "javascript:alert(1)",
    '" onload="alert(1)',
    "' onmouseover='alert(1)",
    "<img src=x onerror=alert(1)>",
    "--><svg/onload=alert(1)><!--",
    "]]><mj-raw><script>alert(1)</script></mj-raw>",
    "&lt;script&gt;",
    "[[button]] [[paragraph:x:paragraph]]",
    "Noor\r\nBcc: everybody@example.com",
    "Noor\n\nA paragraph of my own",
    "Noor\u2028Bcc: x",
    "Noor\u202egnp.exe",
    "Noor\x00\x1b[31m",
    "Noor\ud800",
]


class ParsedHtml(HTMLParser):
    """The tags, event handlers and links of an HTML text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.handlers: list[str] = []
        self.links: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        self.links += [value for name, value in attrs if name in ("href", "src")]


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("channel", ["email", "inbox", "sms"])
def test_hostile_values_never_become_code_headers_or_paragraphs(value, channel):
    context = {**CONTEXT, "customer": {"first_name": value}, "company": {"name": value}}
    fields = {"subject": "For {{ customer.first_name }}", "action": "{{ customer.first_name }}"}

    words = rendered(
        "Hello {{ customer.first_name }}.\n\nBye.",
        channel,
        context=context,
        path="/o/{{ customer.first_name }}/",
        **fields,
    )

    everything = words.subject + words.text
    assert "49" not in everything
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u2028\u202a-\u202e\ud800-\udfff]", everything)
    assert "\n" not in words.subject
    if channel == "inbox":
        assert words.text.count("\n\n") == 1
    if channel == "email":
        harmless = ParsedHtml(
            rendered("Hello Noor.\n\nBye.", channel, path="/o/Noor/", action="Noor").html
        )
        parsed = ParsedHtml(words.html)
        assert parsed.tags == harmless.tags
        assert parsed.handlers == []
        assert len(parsed.links) == len(harmless.links)
        assert all(link.startswith(LINKS["site"] + "/") for link in parsed.links)
        words.html.encode()


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_do_not_run_in_a_custom_mjml_layout(value):
    mjml = (
        "<mjml><mj-body><mj-section><mj-column><mj-text>"
        '<p title="{{ customer.first_name }}">{{ customer.first_name }}</p>'
        '</mj-text><mj-button href="{{ button }}">{{ action }}</mj-button>'
        "</mj-column></mj-section></mj-body></mjml>"
    )
    context = {**CONTEXT, "customer": {"first_name": value}}

    html = rendered(
        "Hello.", "email", context=context, mjml=mjml, path="/orders/", action="Look"
    ).html

    harmless = ParsedHtml(
        rendered("Hello.", "email", mjml=mjml, path="/orders/", action="Look").html
    )
    parsed = ParsedHtml(html)
    assert (parsed.tags, parsed.handlers, parsed.links) == (harmless.tags, [], harmless.links)


def test_very_long_values_are_truncated():
    context = {
        **CONTEXT,
        "customer": {"first_name": "x" * 1_000_000},
        "order": {"lines": [{"name": "y" * 100_000}] * 10_000},
    }
    text = "{{ customer.first_name }}{% for line in order.lines %}{% if forloop.first %}{{ line.name }}{% endif %}{% endfor %}"

    words = rendered(text, "email", context=context, subject="{{ customer.first_name }}")

    assert len(words.subject) == 150
    assert len(words.text) < 5000
    assert len(rendered(text, "sms", context=context).text) == 480


def test_rendering_a_very_long_list_costs_as_much_as_a_long_one():
    text = "{% for line in order.lines %}{{ line.name }}{% endfor %}"
    contexts = [
        {**CONTEXT, "order": {"lines": [{"name": "y"}] * count}} for count in (1_000, 100_000)
    ]
    rendered(text, "sms", context=contexts[0])

    calls = [
        count_calls(lambda context=context: rendered(text, "sms", context=context))
        for context in contexts
    ]

    assert calls[0] == calls[1]


LINES = "{% for a in order.lines %}"


@pytest.mark.parametrize(
    "text",
    [
        LINES * 2 + "x" + "{% endfor %}" * 2,
        LINES * 9 + "{% endfor %}" * 9,
        LINES + "{{ customer.first_name }}" + "x" * 2000 + "{% endfor %}",
        LINES + "{{ order.lines | map: 'name' | list }}" * 10 + "{% endfor %}",
    ],
)
def test_template_that_exceeds_the_limits_is_stopped(text):
    context = {**CONTEXT, "order": {"lines": [{"name": "y" * 2000}] * 200}}

    with pytest.raises(MissingValues):
        rendered(text, context=context)


@pytest.mark.parametrize(
    "text",
    [
        "{% include 'x' %}",
        "{% render 'x' %}",
        "{% capture x %}{% endcapture %}",
        "{% liquid echo 1 %}",
        "{% increment x %}",
        "{{ customer.first_name | safe }}",
        "{{ customer.first_name | base64_decode }}",
        "{{ customer.first_name | env }}",
        "{{ customer.first_name",
        "{% if customer %}",
        "{% if a %}" * 12 + "{% endif %}" * 12,
        "x" * 60_000,
        "{% for a in (1..2000) %}x{% endfor %}",
        "{% for a in (1..1000000000) limit: 1 %}x{% endfor %}",
        "{% for a in order.lines limit: (1..1000000000) %}x{% endfor %}",
        "{% if customer.first_name == (1..1000000000) %}x{% endif %}",
        "{% case order.number %}{% when (1..1000000000) %}x{% endcase %}",
        "{% assign x = (1..1000000000) | compact %}",
        "{{ '{' | truncate: (1..1000000000) }}",
        "{{ (1..1000000000) | uniq | size }}",
        "{{" * 501,
        "{% if " + "(" * 9000 + "a" + ")" * 9000 + " %}x{% endif %}",
        "{{ customer.first_name" + " | upcase" * 201 + " }}",
        LINES + "{% assign x = order.lines | uniq %}" * 21 + "{% endfor %}",
    ],
)
def test_forbidden_template_is_refused_at_compilation(text):
    with pytest.raises(InvalidTemplate):
        rendered(text)


def test_email_has_company_reason_and_unsubscribe_link_in_html_and_text():
    words = rendered(
        "Hello.\n\nSee you.",
        "email",
        "nl",
        path="/orders/{{ order.number }}/",
        action="Je bestelling",
        **{"class": "marketing", "purpose": "offers", "relation": ""},
    )

    for link in (LINKS["why"], LINKS["preferences"], LINKS["unsubscribe"]):
        assert link in words.html
        assert link in words.text
    assert "Je krijgt dit omdat je zei dat we het mogen sturen." in words.html
    assert "Je bestelling:\nhttps://larkmoor.example/orders/LK-2048-17/" in words.text
    assert '<html lang="nl"' in words.html
    assert "prefers-color-scheme: dark" in words.html
    assert "fonts.googleapis" not in words.html
    assert max(len(line) for line in words.text.splitlines() if "http" not in line) <= 76


def test_email_without_consent_has_no_unsubscribe_link():
    links = {**LINKS, "unsubscribe": ""}

    words = render(document(), "1.then.0", "email", CONTEXT, links, "en")

    assert "Stop messages" not in words.html + words.text
    assert "about your order" in words.text


def test_sms_is_short_has_its_link_and_mentions_stop_for_consent():
    offered = {"class": "marketing", "purpose": "offers", "relation": ""}

    words = rendered("Long.", "sms", "sv", short="Kort.", path="/offers/", action="Se", **offered)

    assert words.text == "Kort.\nhttps://larkmoor.example/offers/\nVill du sluta? Svara STOP."
    assert words.subject == words.html == ""


@pytest.mark.parametrize(
    ("requested", "spoken"),
    [("nl", "nl"), ("nl-BE", "nl"), ("de", "en"), ("", "en"), ("sv_SE", "sv")],
)
def test_unsupported_language_falls_back_to_english(requested, spoken):
    assert rendered("Hello.", language=requested).language == spoken


def test_button_can_be_rendered_separately():
    with_button = document(path="/orders/{{ order.number }}/", action="Your order")

    shown_button = button(
        with_button, "1.then.0", {"order": {"number": "../../sign-out?x=1"}}, LINKS, "en"
    )

    assert shown_button == (
        "Your order",
        "https://larkmoor.example/orders/..%2F..%2Fsign-out%3Fx%3D1/",
    )
    assert button(document(), "1.then.0", {}, LINKS, "en") is None


def test_step_without_a_message_cannot_be_rendered():
    with pytest.raises(LookupError):
        render(document(), "0", "inbox", CONTEXT, LINKS, "en")


def test_second_email_of_a_step_parses_no_template_again():
    def render_email():
        return render(DOCUMENT, "1.then.0", "email", CONTEXT, LINKS, "en")

    assert "Noor" in render_email().html
    # The first email parses the templates, which takes more than 30,000 calls.
    assert count_calls(render_email) < 3_000


DOCUMENT = document(
    "Hello {{ customer.first_name }}, {{ order.visit_date | date }}.",
    path="/orders/{{ order.number }}/",
    action="Look",
)
