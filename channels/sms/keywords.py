"""SMS keywords (STOP, START, HELP) and the replies to them. Pure.

An SMS is a keyword only if it contains no other text: "please don't stop" is not a STOP. Staff
answer sentences.
"""

import unicodedata
from typing import Literal

type Keyword = Literal["stop", "start", "help", ""]

# The keywords by language: those of carriers and providers, and common local words.
_STOP_KEYWORDS = {
    "": "stop stopall unsubscribe cancel end quit revoke optout opt-out",
    "nl": "afmelden uitschrijven",
    "sv": "stopp sluta avsluta avregistrera",
    "da": "afmeld frameld",
}
_START_KEYWORDS = {"": "start yes unstop", "nl": "aanmelden", "sv": "starta", "da": "tilmeld"}
_HELP_KEYWORDS = {"": "help info", "nl": "hulp", "sv": "hjälp", "da": "hjælp"}
_KEYWORD_TABLES: dict[Keyword, dict[str, str]] = {
    "stop": _STOP_KEYWORDS,
    "start": _START_KEYWORDS,
    "help": _HELP_KEYWORDS,
}
_KEYWORDS: dict[str, tuple[Keyword, str]] = {
    word: (keyword, language)
    for keyword, table in _KEYWORD_TABLES.items()
    for language, words in table.items()
    for word in words.split()
}
_KEYWORDS |= {"stop all": ("stop", ""), "opt out": ("stop", "")}
_PUNCTUATION = " \t\r\n.,;:!?\"'“”‘’«»()[]*_-"

_REPLIES: dict[Keyword, dict[str, str]] = {
    "stop": {
        "en": "{company}: you will get no more SMS from us. Send START to undo this.",
        "nl": "{company}: je krijgt geen sms meer van ons. Stuur START om dit ongedaan te maken.",
        "sv": "{company}: du får inga fler sms från oss. Skicka START för att ångra.",
        "da": "{company}: du får ikke flere sms'er fra os. Send START for at fortryde.",
    },
    "start": {
        "en": "{company}: we may send you SMS again. Send STOP to end it.",
        "nl": "{company}: we mogen je weer sms'en. Stuur STOP om dat te beëindigen.",
        "sv": "{company}: vi får skicka sms till dig igen. Skicka STOP för att avsluta.",
        "da": "{company}: vi må sende dig sms'er igen. Send STOP for at stoppe.",
    },
    "help": {
        "en": "{company}: change your preferences at {site}. Send STOP for no more SMS. "
        "A person reads all other messages.",
        "nl": "{company}: wijzig je voorkeuren op {site}. Stuur STOP voor geen sms meer. "
        "Al het andere leest een medewerker.",
        "sv": "{company}: ändra dina inställningar på {site}. Skicka STOP för inga fler "
        "sms. Allt annat läses av en person.",
        "da": "{company}: ændr dine indstillinger på {site}. Send STOP for ikke at få "
        "flere sms'er. Alt andet læses af en person.",
    },
    "": {},
}
# START undoes STOP, but not the customer's statements in other channels.
_STILL_OPTED_OUT_REPLY = {
    "en": "{company}: thank you. SMS is still turned off in your preferences: {site}",
    "nl": "{company}: dank je. In je voorkeuren staat sms nog uit: {site}",
    "sv": "{company}: tack. Sms är fortfarande avstängt i dina inställningar: {site}",
    "da": "{company}: tak. Sms er stadig slået fra i dine indstillinger: {site}",
}
_PROVIDER_KEYWORDS: dict[str, Keyword] = {"STOP": "stop", "START": "start", "HELP": "help"}


def find_keyword(text: str, *, provider_keyword: str = "") -> tuple[Keyword, str]:
    """Return the keyword of an SMS and its language (empty if it is the same in all languages).

    `provider_keyword` is the keyword that the provider recognized (OptOutType).
    """
    word = unicodedata.normalize("NFKC", text).casefold().strip(_PUNCTUATION)
    match = _KEYWORDS.get(" ".join(word.split()), ("", ""))
    return (
        (_PROVIDER_KEYWORDS[provider_keyword], match[1])
        if provider_keyword in _PROVIDER_KEYWORDS
        else match
    )


def reply_text(
    keyword: Keyword, *, language: str, company: str, site: str, allows_sms: bool = True
) -> str:
    """Return the reply to a keyword; empty without a keyword.

    `allows_sms` says whether SMS may be sent to the number afterwards.
    """
    texts = _STILL_OPTED_OUT_REPLY if keyword == "start" and not allows_sms else _REPLIES[keyword]
    text = texts.get(language) or texts.get("en", "")
    # Replace the URL first: it contains no braces, but the name of a company may contain some.
    return text.replace("{site}", site).replace("{company}", company)
