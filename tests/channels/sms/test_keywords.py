import pytest

from channels.sms.keywords import find_keyword, reply_text

STOPPING = ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT")


@pytest.mark.parametrize(
    ("text", "keyword", "language"),
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
def test_one_word_alone_is_understood(text, keyword, language):
    assert find_keyword(text) == (keyword, language)


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
def test_text_without_a_keyword_has_none(text):
    assert find_keyword(text) == ("", "")


def test_keyword_of_the_provider_overrides_the_text():
    assert find_keyword("Arrêt", provider_keyword="STOP") == ("stop", "")
    assert find_keyword("STOP", provider_keyword="START") == ("start", "")
    assert find_keyword("STOP", provider_keyword="SOMETHING") == ("stop", "")


@pytest.mark.parametrize("keyword", ["stop", "start", "help"])
@pytest.mark.parametrize("language", ["en", "nl", "sv", "da"])
def test_answers_name_the_company_in_each_language(keyword, language):
    reply = reply_text(keyword, language=language, company="Larkmoor", site="https://x.example/")

    assert reply.startswith("Larkmoor: ")
    assert "{" not in reply
    assert (
        reply != reply_text(keyword, language="xx", company="Larkmoor", site="") or language == "en"
    )


def test_a_company_s_name_is_no_template():
    assert reply_text("help", language="en", company="{site}", site="s").startswith("{site}: ")
