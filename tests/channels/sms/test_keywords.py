import pytest

from channels.sms.keywords import answer, meaning

STOPPING = ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT")


@pytest.mark.parametrize(
    ("text", "meant", "language"),
    [
        *[pytest.param(word, "stop", "", id=word) for word in STOPPING],
        *[pytest.param(word, "start", "", id=word) for word in ("START", "YES", "UNSTOP")],
        *[pytest.param(word, "help", "", id=word) for word in ("HELP", "INFO")],
        ("stop", "stop", ""),
        ("Stop", "stop", ""),
        ("  STOP \n", "stop", ""),
        ("Stop!", "stop", ""),
        ("“STOP”.", "stop", ""),
        ("ＳＴＯＰ", "stop", ""),
        ("opt out", "stop", ""),
        ("Opt-Out", "stop", ""),
        ("stop  all", "stop", ""),
        ("Afmelden", "stop", "nl"),
        ("STOPP", "stop", "sv"),
        ("afmeld", "stop", "da"),
        ("aanmelden", "start", "nl"),
        ("hjälp", "help", "sv"),
        ("HJA\u0308LP", "help", "sv"),
        ("HJÆLP", "help", "da"),
        ("hulp", "help", "nl"),
    ],
)
def test_one_word_alone_is_understood(text, meant, language):
    assert meaning(text) == (meant, language)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "...",
        "please stop texting me",
        "Don't stop!",
        "STOP it",
        "we get off at the last stop",
        "yes please",
        "ja",
        "stopping",
        "s t o p",
        "START STOP",
        "\x00",
        "😀",
    ],
)
def test_anything_else_is_for_a_person(text):
    assert meaning(text) == ("", "")


def test_what_a_provider_understood_counts():
    assert meaning("Arrêt", hint="STOP") == ("stop", "")
    assert meaning("STOP", hint="START") == ("start", "")
    assert meaning("STOP", hint="SOMETHING") == ("stop", "")


@pytest.mark.parametrize("meant", ["stop", "start", "help"])
@pytest.mark.parametrize("language", ["en", "nl", "sv", "da"])
def test_answers_name_the_company_in_each_language(meant, language):
    said = answer(meant, language=language, company="Larkmoor", site="https://x.example/")

    assert said.startswith("Larkmoor: ")
    assert "{" not in said
    assert said != answer(meant, language="xx", company="Larkmoor", site="") or language == "en"


def test_a_company_s_name_is_no_template():
    assert answer("help", language="en", company="{site}", site="s").startswith("{site}: ")
