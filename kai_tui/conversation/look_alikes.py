"""Text that looks like other text: mixed scripts, disguised ASCII, misleading addresses (rule D6).

Only what the user decides about is looked at this way; prose in any language is left alone. The
lists say what people are fooled by, not all of Unicode's confusables: a warning that comes with
every Czech title or Japanese sentence would soon be read by nobody.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import Final

from kai_tui.conversation.web_address import MAX_ADDRESSES, WebAddress, addresses_in, shares_in

_WORD: Final = re.compile(r"[^\W\d_]+")
_CJK: Final = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "HALFWIDTH"})
_DISTINCT_GREEK: Final = frozenset("ΓΔΘΛΞΠΣΦΨΩδθλμξπφψ")
"""Greek letters nobody takes for Latin ones: `Δt`, `λx`, `μs` are units and symbols, not disguises."""

_LIKE_LATIN: Final = {
    "CYRILLIC": frozenset("асеорхуіјѕһԁԛԝґвкмнтгпАВЕКМНОРСТХУІЈЅԌҮ"),
    "GREEK": frozenset("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧανορικυτωγ"),
    "ARMENIAN": frozenset("աոսԼՕՍհցօ"),
    "CHEROKEE": frozenset("ᎠᎡᎢᎥᎪᎫᎬᎳᎷᎻᎽᏀᏂᏃᏎᏏᏒᏔᏙᏚᏞᏟᏢᏦ"),
}
_DISGUISES: Final = frozenset("ɑɡɩʟƽǀǃꞁ")
"""Latin letters of phonetics and of few languages that look like other characters."""
_NO_SCRIPTS: Final = frozenset(
    {"MATHEMATICAL", "FULLWIDTH", "MODIFIER", "FEMININE", "MASCULINE", "UNKNOWN", "MICRO"}
)
_LATIN_LETTER: Final = re.compile("[A-Za-z]")

_PUNCTUATION: Final = {
    "\u2215": "/",
    "\u2044": "/",
    "\u29f8": "/",
    "\u2571": "/",
    "\u2216": "\\",
    "\u29f5": "\\",
    "\ua789": ":",
    "\u2236": ":",
    "\u05c3": ":",
    "\u0589": ":",
    "\u02f8": ":",
    "\u204f": ";",
    "\u0701": ".",
    "\u06d4": ".",
    "\u2217": "*",
    "\u204e": "*",
    "\u066a": "%",
    "\u2223": "|",
    "\u2758": "|",
    "\u02c4": "^",
    "\u02c2": "<",
    "\u02c3": ">",
    "\u276e": "<",
    "\u276f": ">",
    "\u02dc": "~",
    "\u223c": "~",
    "\u1400": "=",
    "\ua78a": "=",
    "\u2768": "(",
    "\u2769": ")",
    "\u2774": "{",
    "\u2775": "}",
    "\u2e32": ",",
    "\ua4f8": ".",
    "\ua4fa": "..",
    "\ua4fb": ".,",
}
"""No writing uses these in names, paths or commands; they are always pointed out."""

_PUNCTUATION_IN_CODE: Final = {
    "\u2010": "-",
    "\u2011": "-",
    "\u2012": "-",
    "\u2013": "-",
    "\u2014": "--",
    "\u2015": "--",
    "\u2212": "-",
    "\u2043": "-",
    "\u02d7": "-",
    "\u2018": "'",
    "\u2019": "'",
    "\u201a": ",",
    "\u201b": "'",
    "\u2032": "'",
    "\u02b9": "'",
    "\u02bc": "'",
    "\u02c8": "'",
    "\u201c": '"',
    "\u201d": '"',
    "\u201f": '"',
    "\u2033": '"',
    "\u3002": ".",
    "\u060c": ",",
    "\u061b": ";",
    "\u00b7": ".",
    "\u2219": ".",
    "\u00a6": "|",
    "\u00d7": "x",
}
"""Ordinary in sentences; in a path, a command or SQL they are pointed out."""

_CODE: Final = re.compile(
    r"""(?ix)
      \A\s*(?:select|insert|update|delete|merge|drop|alter|create|truncate|grant|revoke|with|call|copy|show)\b
    | \A(?:[~.]{0,2}[/\\]|[a-z]:[/\\]) | \s\S?-{1,2}[a-z] | [|;&`$><] | [a-z0-9_]\([^)\s]{0,40}\)
    | (?:^|\s)[\u2010-\u2015\u2212]{1,2}[a-z]                 # an option with a dash of print
    """
)
_CODE_SIGNS: Final = re.compile(r"[/\\.:_=]")
_PLAIN_FORMS: Final = frozenset({"<super>", "<sub>", "<fraction>", "<square>"})
_NOT_DISGUISED: Final = frozenset("…‥™℠№℡ªº℀℁℅℆ⁿⁱ")
_EACH: Final = 6


def disguises(text: str) -> list[str]:
    """What in `text` looks like something else, one sentence each (raw: they quote the text)."""
    said = _address_tricks(text)
    if not text.isascii():
        composed = unicodedata.normalize("NFC", text)
        words = {word for word in _WORD.findall(composed) if not word.isascii()}
        if words:
            said += _mixed_words(words)
            said += _look_alike_words(words, composed)
        said += _disguised_ascii(text)
    return said


def facts(text: str) -> list[str]:
    """What helps to judge a text without being a warning: the host of each address, on its own line."""
    found = [
        f"{address.scheme} address, host {_host_and_port(address)}" for address in addresses_in(text)[:_EACH]
    ]
    if any(unicodedata.bidirectional(character) in ("R", "AL") for character in _others(text)):
        found.append("has right-to-left letters: some terminals change their order on screen")
    return list(dict.fromkeys(found))


def _others(text: str) -> set[str]:
    """The different characters of a text beyond ASCII."""
    return set() if text.isascii() else {character for character in set(text) if character > "\x7f"}


def _points(characters: Iterable[str]) -> str:
    listed = sorted(set(characters))
    shown = ", ".join(f"{character} is U+{ord(character):04X}" for character in listed[:_EACH])
    return shown if len(listed) <= _EACH else f"{shown} and {len(listed) - _EACH} more"


@cache
def _script(letter: str) -> str:
    """The script of a letter, by the first word of its Unicode name; CJK scripts are one."""
    name = unicodedata.name(letter, "UNKNOWN").partition(" ")[0]
    return "CJK" if name in _CJK else name


def _mixed_words(words: set[str]) -> list[str]:
    """Words of letters from more than one script; Latin beside CJK is ordinary writing."""
    listed = sorted(words)
    letters = set("".join(listed))
    scripts = {
        letter: _script(letter)
        for letter in letters
        if unicodedata.category(letter)[0] == "L" and letter not in _DISTINCT_GREEK
    }
    names = sorted({name for name in scripts.values() if name not in _NO_SCRIPTS})
    signs = {name: chr(ord("A") + number) for number, name in enumerate(names)}
    table = {ord(letter): signs.get(scripts.get(letter, ""), "") for letter in letters}
    ordinary = {signs.get("CJK", ""), signs.get("LATIN", "")}
    said: list[str] = []
    for word, shape in zip(listed, "\n".join(listed).translate(table).split("\n"), strict=True):
        mixed = set(shape)
        if len(mixed) > 1 and not mixed <= ordinary:
            foreign = [letter for letter in word if scripts.get(letter) not in (None, "LATIN", *_NO_SCRIPTS)]
            named = " and ".join(name.title() for name in names if signs[name] in mixed)
            said.append(f"“{_cut(word)}” mixes {named} letters: {_points(foreign)}")
        elif len(word) > 1 and not _DISGUISES.isdisjoint(word):
            disguised = [letter for letter in word if letter in _DISGUISES]
            said.append(f"“{_cut(word)}” has letters that look like others: {_points(disguised)}")
    return _first(said, "more words like that")


def _look_alike_words(words: set[str], text: str) -> list[str]:
    """Words written wholly in letters that look Latin, among Latin ones."""
    if _LATIN_LETTER.search(text) is None:
        return []
    letters = set("".join(words))
    said: list[str] = []
    for script, like_latin in _LIKE_LATIN.items():
        of_script = {letter for letter in letters if _script(letter) == script}
        if of_script and of_script <= like_latin:
            said += [
                f"“{_cut(word)}” is written in {script.title()}, though it looks Latin: {_points(word)}"
                for word in sorted(words)
                if of_script.issuperset(word)
            ]
    return _first(said, "more words like that")


def _disguised_ascii(text: str) -> list[str]:
    others = _others(text)
    cjk = any(_script(character) in _CJK for character in others if character.isalpha())
    one_word = len(text.split(None, 1)) == 1 and _CODE_SIGNS.search(text) is not None
    code = one_word or _CODE.search(text) is not None
    found: dict[str, str] = {}
    for character in others:
        plain = _PUNCTUATION.get(character) or (_PUNCTUATION_IN_CODE.get(character) if code else None)
        if plain is None:
            plain = _plain_form(character, among_cjk=cjk)
        if plain:
            found[character] = plain
    if not found:
        return []
    listed = sorted(found)
    shown = ", ".join(f"{each} U+{ord(each):04X} (not {found[each]})" for each in listed[:_EACH])
    rest = f" and {len(listed) - _EACH} more" if len(listed) > _EACH else ""
    return [f"characters that look like plain ones: {shown}{rest}"]


def _plain_form(character: str, *, among_cjk: bool) -> str | None:
    """The ASCII that Unicode's own tables turn a character into (NFKC), when that may fool somebody."""
    plain = unicodedata.normalize("NFKC", character)
    if not plain.isascii() or plain.isspace() or character in _NOT_DISGUISED:
        return None
    form = unicodedata.decomposition(character).partition(" ")[0]
    if (form in _PLAIN_FORMS or form == "<circle>") and not plain.isalpha():
        return None
    if form == "<square>" or (form == "<wide>" and among_cjk and not plain.isalpha()):
        return None
    return plain


def _address_tricks(text: str) -> list[str]:
    said: list[str] = []
    addresses = addresses_in(text)
    if len(addresses) >= MAX_ADDRESSES:
        said.append(f"more than {MAX_ADDRESSES:,} addresses: not all were checked")
    for address in addresses:
        host = _host_and_port(address)
        for trick in address.tricks:
            if trick == "user":
                said.append(f"“{_cut(address.user)}” before the @ is a user name: the host is {host}")
            elif trick == "letters":
                said.append(
                    f"the host {_cut(address.written_host)} is looked up as {host}: {_spelled(address)}"
                )
            elif trick == "punycode":
                said.append(f"the host {host} reads as {_cut(address.reads_as)}: {_spelled(address)}")
            elif trick == "number":
                said.append(f"the host {_cut(address.written_host)} is the address {host}")
            elif trick == "percent":
                said.append(f"the host {_cut(address.written_host)} is written in codes: it is {host}")
            else:
                said.append(f"unusual slashes in an address: browsers go to the host {host}")
    said += [
        f"{_cut(share)} is a network path: opening it tells that computer who you are"
        for share in shares_in(text)
    ]
    return _first(list(dict.fromkeys(said)), "more addresses like that")


def _spelled(address: WebAddress) -> str:
    others = _others(address.written_host) | _others(address.reads_as)
    return _points(others) if others else "plain letters"


def _host_and_port(address: WebAddress) -> str:
    return f"{address.host}:{address.port}" if address.port else address.host


def _cut(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:60]}…{text[-58:]}"


def _first(said: list[str], more: str) -> list[str]:
    if len(said) <= _EACH:
        return said
    return [*said[:_EACH], f"{len(said) - _EACH} {more}"]
