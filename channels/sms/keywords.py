"""What a customer means who sends us one word, and what we answer. Pure.

Only a message that is nothing but the word counts: who writes "please don't stop" is not
stopping us, and whoever writes a sentence deserves a person.
"""

import unicodedata
from typing import Literal

type Meaning = Literal["stop", "start", "help", ""]

# By language, as carriers and providers have them, and as people here say it.
_STOP = {
    "": "stop stopall unsubscribe cancel end quit revoke optout opt-out",
    "nl": "afmelden uitschrijven",
    "sv": "stopp sluta avsluta avregistrera",
    "da": "afmeld frameld",
}
_START = {"": "start yes unstop", "nl": "aanmelden", "sv": "starta", "da": "tilmeld"}
_HELP = {"": "help info", "nl": "hulp", "sv": "hjälp", "da": "hjælp"}
_TABLES: dict[Meaning, dict[str, str]] = {"stop": _STOP, "start": _START, "help": _HELP}
_WORDS: dict[str, tuple[Meaning, str]] = {
    word: (meaning, language)
    for meaning, table in _TABLES.items()
    for language, words in table.items()
    for word in words.split()
}
_WORDS |= {"stop all": ("stop", ""), "opt out": ("stop", "")}
_AROUND = " \t\r\n.,;:!?\"'“”‘’«»()[]*_-"

_ANSWERS: dict[Meaning, dict[str, str]] = {
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
        "en": "{company}: what you hear from us is up to you: {site}. Send STOP for no more SMS. "
        "Anything else you send is read by a person.",
        "nl": "{company}: je bepaalt wat je van ons hoort: {site}. Stuur STOP voor geen sms meer. "
        "Al het andere leest een medewerker.",
        "sv": "{company}: du bestämmer vad du hör från oss: {site}. Skicka STOP för inga fler "
        "sms. Allt annat läses av en person.",
        "da": "{company}: du bestemmer, hvad du hører fra os: {site}. Send STOP for ikke at få "
        "flere sms'er. Alt andet læses af en person.",
    },
    "": {},
}
# START undoes STOP, and nothing that was said in another place.
_STILL_OFF = {
    "en": "{company}: thank you. SMS is still turned off in your preferences: {site}",
    "nl": "{company}: dank je. In je voorkeuren staat sms nog uit: {site}",
    "sv": "{company}: tack. Sms är fortfarande avstängt i dina inställningar: {site}",
    "da": "{company}: tak. Sms er stadig slået fra i dine indstillinger: {site}",
}
_HINTS: dict[str, Meaning] = {"STOP": "stop", "START": "start", "HELP": "help"}


def meaning(text: str, *, hint: str = "") -> tuple[Meaning, str]:
    """Return what a message means and the language of its word ("": of any).

    `hint` is what a provider has already made of it (OptOutType).
    """
    word = unicodedata.normalize("NFKC", text).casefold().strip(_AROUND)
    found = _WORDS.get(" ".join(word.split()), ("", ""))
    return (_HINTS[hint], found[1]) if hint in _HINTS else found


def answer(meant: Meaning, *, language: str, company: str, site: str, is_open: bool = True) -> str:
    """Return what we answer to a word; nothing where it was none.

    `is_open` says whether SMS may go to the number after it.
    """
    texts = _STILL_OFF if meant == "start" and not is_open else _ANSWERS[meant]
    text = texts.get(language) or texts.get("en", "")
    # The address first: a company may be called anything, an address has no braces.
    return text.replace("{site}", site).replace("{company}", company)
