"""The loader refuses a hostile automation quickly, with the name of the file and the reason.

Contents of a layout: tests/butler/messages/test_email_layout.py. Cost of a condition:
test_conditions.py.
"""

import os
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from butler.models import Automation, AutomationVersion
from customers.models import Purpose

pytestmark = pytest.mark.django_db

LANGUAGES = ("en", "nl", "sv", "da")
TOPICS = '[[topic]]\nkey = "visits"\n[topic.texts.en]\nname = "Visits"\ndescription = ""\n'
BODY = "<mjml><mj-body><mj-section><mj-column>{}</mj-column></mj-section></mj-body></mjml>"


def quoted(text: str) -> str:
    """Return a text as a value of TOML."""
    safe = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r"}
    return '"' + "".join(safe.get(sign, sign) for sign in text) + '"'


def written(*, condition: str = "", more: str = "", **text: str) -> str:
    """Return the file of a reminder with this text in every language."""
    message_texts = {"subject": "Soon", "text": "See you."} | text
    texts = "".join(
        f"[steps.texts.{language}]\n"
        + "".join(f"{k} = {quoted(v)}\n" for k, v in message_texts.items())
        for language in LANGUAGES
    )
    names = "".join(f'{language} = "Reminder"\n' for language in LANGUAGES)
    return (
        'key = "reminder"\nclass = "service"\nrelation = "order"\ntopic = "visits"\n'
        f'expires = "2d"\ncondition = {quoted(condition)}\n{more}\n[name]\n{names}'
        '[trigger]\nkind = "event"\nevent = "Order Completed"\n'
        '[[steps]]\nkind = "message"\nchannels = ["inbox", "email", "sms"]\n' + texts
    )


def load(folder) -> str:
    out = StringIO()
    call_command("load_automations", str(folder), stdout=out)
    return out.getvalue()


def test_harmless_automation_is_loaded(tmp_path):
    (tmp_path / "topics.toml").write_text(TOPICS)
    (tmp_path / "reminder.toml").write_text(written(path="/orders/", action="Look"))

    assert "new" in load(tmp_path)


HOSTILE = {
    "brackets": ("a = " + "[" * 20_000 + "]" * 20_000, "nested too deep"),
    "tables": ("a = " + "{a=" * 5000 + "1" + "}" * 5000, "nested too deep"),
    "a long name": (".".join(["a"] * 20_000) + " = 1", "more than 500 dots"),
    "many names": ("".join(f"a{n} = 1\n" for n in range(60_000)), "at most 200000 bytes"),
    "a number": ("priority = " + "9" * 5000, "is not TOML"),
    "NUL": (written(more='purpose = "\\u0000"'), "NUL"),
    "NUL twice": (written(more='purpose = "\\U00000000"'), "NUL"),
    "bytes": (b"key = '\xff'", "is not TOML"),
    "steps": ("steps = " + "[{kind='branch', when='true', then=" * 60 + "[]" + "}]" * 60, "."),
    "a huge text": (written(text="x" * 60_000), "longer than|at most 200000 bytes"),
    "a range": (written(text="{% for a in (1..1000000000) %}x{% endfor %}"), "a range"),
    "a range to hold": (written(text="{{ (1..1000000000) | uniq | size }}"), "a range"),
    "loops": (
        written(text="{% for a in order.lines %}" * 11 + "x" + "{% endfor %}" * 11),
        "nesting|nested",
    ),
    "braces": (written(text="{{" * 20_000), "more than 500 placeholders|200000 bytes"),
    "a secret": (written(text="{{ settings.SECRET_KEY }}"), "settings.SECRET_KEY"),
    "an attribute": (written(text="{{ order.__class__ }}"), "order.__class__"),
    "another file": (written(text="{% include '/etc/passwd' %}"), "include"),
    "another text": (written(text="{% render 'x' %}"), "render"),
    "another site": (written(path="//evil.example", action="x"), "our own site"),
    "another scheme": (written(path="javascript:alert(1)", action="x"), "our own site"),
    "two subjects": (written(subject="a\r\nBcc: all@example.com"), "one line"),
    "a macro": (
        written(condition="order.lines.all(a, order.lines.all(b, order.lines == order.lines))"),
        "in another one",
    ),
    "a long condition": (written(condition="true || " * 300 + "true"), "longer than 2000"),
    "a deep condition": (written(condition="(" * 900 + "true" + ")" * 900), "Failed to parse"),
    "a strange condition": (written(condition="settings.SECRET_KEY == ''"), "settings"),
    "includes": (written(mjml=BODY.format("<mj-include path='/etc/passwd' />")), "is not MJML"),
    "entities": (
        written(mjml="<!DOCTYPE x [<!ENTITY a 'b'>]>" + BODY.format("&a;")),
        "is not MJML",
    ),
    "tags": (written(mjml=BODY.format("<mj-wrapper>" * 1500)), "more than 200 tags"),
    "scripts": (
        written(mjml=BODY.format("<mj-raw><script>alert(1)</script></mj-raw>")),
        "not permitted in e-mail",
    ),
    "links": (
        written(mjml=BODY.format("<mj-text><a href='javascript:alert(1)'>x</a></mj-text>")),
        "leads to",
    ),
    "values in links": (
        written(mjml=BODY.format("<mj-button href='{{ customer.first_name }}'>x</mj-button>")),
        "leads to",
    ),
    "styles": (
        written(mjml=BODY.format("<mj-raw><style>@import 'https://a.example';</style></mj-raw>")),
        "loads or runs",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_automation_is_refused_quickly(tmp_path, name):
    content, why = HOSTILE[name]
    (tmp_path / "topics.toml").write_text(TOPICS)
    raw = content if isinstance(content, bytes) else content.encode()
    (tmp_path / "reminder.toml").write_bytes(raw)

    with pytest.raises(CommandError, match=why) as raised:
        load(tmp_path)

    assert "reminder.toml: " in str(raised.value)
    assert not AutomationVersion.objects.exists()
    assert not Automation.objects.exists()


@pytest.mark.parametrize("file", ["purposes.toml", "topics.toml"])
@pytest.mark.parametrize("toml_value", ["= 1", "= ['x']", "= {key='x'}", "= [[]]", "= [{key=1}]"])
def test_malformed_purposes_and_topics_are_refused(tmp_path, file, toml_value):
    (tmp_path / file).write_text(f"{file.removesuffix('s.toml')} {toml_value}")

    with pytest.raises(CommandError, match=file):
        load(tmp_path)
    assert not Purpose.objects.exists()


def test_pipes_devices_and_folders_are_no_automation_files(tmp_path):
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "zero.toml").symlink_to("/dev/zero")
    (tmp_path / "folder.toml").mkdir()

    with pytest.raises(CommandError) as raised:
        load(tmp_path)

    for name in ("pipe.toml", "zero.toml", "folder.toml"):
        assert f"{name}: : is not TOML: must be a file" in str(raised.value)
