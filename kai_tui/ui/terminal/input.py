"""Bytes from the terminal that are safe to take as keys (textual-notes §9).

Textual 8.2.8 takes late answers of the terminal for typed text, dies of invalid UTF-8 and of key
release reports, and lets an ESC inside a paste turn what follows into keys, Enter among them.
`SafeParser` splits the stream into whole sequences first and hands on only what Textual knows.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Generator, Iterable, Iterator
from time import monotonic
from typing import Final

from textual import events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._parser import Parser
from textual._xterm_parser import XTermParser
from textual.message import Message

_ESC: Final = "\x1b"
_PASTE_START: Final = "\x1b[200~"
_PASTE_END: Final = "\x1b[201~"

_SEQUENCE: Final = re.compile(
    r"""\x1b(?:
        \[ (?: \[[A-Z]                           # function keys of the Linux console
             | <[^\x1bMm]{0,40}[Mm]             # mouse reports, also with numbers that are none
             | M.{3}                             # mouse reports of the first kind
             | (?!<) [0-9:;<=>?]*+ [\x20-/]*+ [@-LN-Z\\-~]
             | (?!<) [0-9:;<=>?]++ [\x20-/]*+ M
             )
      | O [0-9;]*+ [A-Za-z]
      | \] (?:[0-9]{1,4};|[lL]) [^\x07\x1b\x9c]*+ (?:\x07|\x1b\\|\x9c)   # OSC; title reports
      | (?:P(?:[01][$+]|>\||!\||=) | _G) [^\x1b\x9c]*+ (?:\x1b\\|\x9c)   # DCS, APC
      | [^\[O\]P_\x1b]
      | (?=\x1b)
    )""",
    re.VERBOSE | re.DOTALL,
)
_UNFINISHED: Final = re.compile(
    r"""\x1b(?:
        (?:\[ (?: \[? | <[^\x1bMm]{0,40} | M.{0,2} | [0-9:;<=>?]*+ [\x20-/]*+ ))?
      | O [0-9;]*+
      | \] (?: [0-9]{1,4} | (?:[0-9]{1,4};|[lL]) [^\x07\x1b\x9c]*+ \x1b? )?
      | P [01>!]? | (?:P(?:[01][$+]|>\||!\||=) | _G) [^\x1b\x9c]*+ \x1b?
      | _
    )""",
    re.VERBOSE | re.DOTALL,
)
_ANSWER: Final = re.compile(r"\x1b(?:\](?:[0-9]{1,4};|[lL])|P(?:[01][$+]|>\||!\||=)|_G)")
_KEY: Final = re.compile(
    r"\x1b\[(?P<code>[0-9]{0,7})(?::[0-9:]{0,20})?"
    r"(?:;(?P<mods>[0-9]{0,3})(?::(?P<event>[0-9]))?)?(?:;(?P<text>[0-9:]{0,200}))?(?P<end>[u~ABCDEFHPQRS])"
)
_MOUSE: Final = re.compile(r"\x1b\[<[0-9]{1,4};-?[0-9]{1,6};-?[0-9]{1,6}[Mm]")
_MODE: Final = re.compile(r"\x1b\[\?[0-9]{1,5};[0-9]\$y")
_SIZE: Final = re.compile(
    r"\x1b\[48;([1-9][0-9]{0,3});([1-9][0-9]{0,3});([1-9][0-9]{0,5});([1-9][0-9]{0,5})t"
)
_FOCUS: Final = ("\x1b[I", "\x1b[O")
_RELEASED: Final = "3"
_EDIT_KEYS: Final = (8, 9, 13, 27, 127)

_NOT_PASTED: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_ASCII_NOT_PASTED: Final = bytes((*range(9), *range(11, 32), 127))
_REAL_KEY: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f]|\x1b(?:\Z|\[[0-9;]*u)")

HOLD_KEY: Final = 0.1
"""Seconds an unfinished sequence may take before it is read as keys (an Escape, an Alt with a key)."""
HOLD_ANSWER: Final = 1.0
"""Seconds an unfinished answer of the terminal is waited for before it is dropped."""
HOLD_PASTE: Final = 3.0
"""Seconds of silence after which an unfinished paste is delivered."""
MAX_ANSWER: Final = 8_192
MAX_PASTE: Final = 16 * 1024 * 1024
"""Characters; more of one paste is dropped."""


class SafeParser(XTermParser):
    """Textual's parser behind a lexer that drops what is no key, mouse, size or paste.

    Its debug log (`TEXTUAL_DEBUG` writes every key to `keys.log`) is always off: tokens are typed too.
    """

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug=False)
        self._held = ""
        self._held_since = 0.0
        self._paste: list[str] | None = None
        self._paste_size = 0
        self._paste_stale = False

    def feed(self, data: str) -> Iterable[Message]:
        """Events for what came. An empty string ends the stream."""
        if not data:
            yield from self._let_go()
            yield from super().feed("")
            return
        data, self._held = self._held + data, ""
        if self._paste_stale and _REAL_KEY.match(data) is not None:
            yield from self._end_paste()
        at: int = 0
        while at < len(data):
            if self._paste is not None:
                at = yield from self._feed_paste(data, at)
            elif data[at] != _ESC:
                end = data.find(_ESC, at)
                end = len(data) if end < 0 else end
                yield from self._pass_on(data[at:end])
                at = end
            elif (match := _SEQUENCE.match(data, at)) is not None:
                yield from self._feed_sequence(match[0])
                at = match.end()
            elif _UNFINISHED.fullmatch(data, at) is not None:
                self._hold(data[at:])
                return
            else:
                at = yield from self._feed_broken(data, at)

    def tick(self) -> Iterable[Message]:
        """Events for what waited long enough."""
        waited = monotonic() - self._held_since
        if self._paste is not None:
            if waited >= HOLD_PASTE and (self._paste or self._held):
                yield from self._deliver_paste()
        elif self._held:
            answer = _ANSWER.match(self._held) is not None
            if waited >= (HOLD_ANSWER if answer else HOLD_KEY):
                yield from self._let_go()
        yield from super().tick()

    def _hold(self, text: str) -> None:
        if len(text) > MAX_ANSWER:
            # Keep its beginning and its last character: the end mark may be cut in two.
            text = text[:8] + text[-1]
        self._held = text
        self._held_since = monotonic()

    def _let_go(self) -> Iterator[Message]:
        """What is held is not going on: an Escape or Alt key; the rest of an answer is dropped."""
        held, self._held = self._held, ""
        if held == _ESC:
            yield events.Key("escape", _ESC)
        elif len(held) == 2:
            yield from self._pass_on(held)

    def _feed_broken(self, data: str, at: int) -> Generator[Message, None, int]:
        """An ESC that begins no whole sequence: dropped with what belongs to it, else an Alt key."""
        if _ANSWER.match(data, at) is not None:
            end = data.find(_ESC, at + 1)
            return len(data) if end < 0 else end
        end = at + 2
        if data[at + 1] == "[":
            while end < len(data) and " " <= data[end] <= "?":
                end += 1
        else:
            yield from self._pass_on(data[at:end])
        return end

    def _feed_sequence(self, sequence: str) -> Iterator[Message]:
        if sequence == _ESC:
            yield events.Key("escape", _ESC)
        elif sequence == _PASTE_START:
            self._paste, self._paste_size, self._paste_stale = [], 0, False
            self._held_since = monotonic()
        elif sequence != _PASTE_END and (known := _known(sequence)) is not None:
            yield from self._pass_on(known)

    def _pass_on(self, text: str) -> Iterator[Message]:
        try:
            yield from super().feed(text)
            if self._timeout_time is not None:
                # A whole sequence never waits: what Textual still waits for will not come.
                self._timeout_time = 0.0
                yield from super().tick()
        except (ValueError, OverflowError, ArithmeticError, LookupError):
            # A number no real terminal sends. The generator inside is dead: begin a new one.
            Parser[Message].__init__(self)

    def _feed_paste(self, data: str, at: int) -> Generator[Message, None, int]:
        """Take pasted text up to the end mark; an end mark inside the pasted text itself ends nothing.

        Where a second end mark follows with no start between, the first came from the pasted text:
        a page that puts one there wants the rest typed.
        """
        end = data.find(_PASTE_END, at)
        if end < 0:
            kept = _unfinished_end(data, at)
            self._keep_pasted(data[at:kept])
            self._held, self._held_since = data[kept:], monotonic()
            return len(data)
        while (later := data.find(_PASTE_END, end + 1)) >= 0:
            start = data.find(_PASTE_START, end + 1)
            if 0 <= start < later:
                break
            end = later
        self._keep_pasted(data[at:end].replace(_PASTE_END, ""))
        yield from self._end_paste()
        return end + len(_PASTE_END)

    def _keep_pasted(self, text: str) -> None:
        room = MAX_PASTE - self._paste_size
        if self._paste is not None and text and room > 0:
            self._paste.append(text[:room])
            self._paste_size += len(text)
            self._held_since = monotonic()

    def _deliver_paste(self) -> Iterator[Message]:
        """No end mark came for long: show what is there, but go on taking the rest as pasted."""
        self._keep_pasted(self._held)
        self._held = ""
        text = _pasted_text("".join(self._paste or []))
        self._paste, self._paste_stale = [], True
        if text:
            yield events.Paste(text)

    def _end_paste(self) -> Iterator[Message]:
        text = _pasted_text("".join(self._paste or []))
        self._paste, self._paste_stale, self._paste_size = None, False, 0
        if text:
            yield events.Paste(text)


def _unfinished_end(data: str, at: int) -> int:
    """Where the beginning of an end mark stands at the end of `data`, else its length."""
    for size in range(min(len(_PASTE_END) - 1, len(data) - at), 0, -1):
        if data.endswith(_PASTE_END[:size]):
            return len(data) - size
    return len(data)


def _pasted_text(text: str) -> str:
    if text.isascii():
        # A megabyte in 2 ms; the pattern takes 15.
        octets = text.encode("ascii").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return octets.translate(None, _ASCII_NOT_PASTED).decode("ascii")
    return _NOT_PASTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _known(sequence: str) -> str | None:
    """The sequence as Textual can read it, or None for one it would crash on or type as text."""
    if sequence in _FOCUS or sequence in ANSI_SEQUENCES_KEYS:
        return sequence
    if len(sequence) == 2:
        return sequence if sequence[1].isprintable() or sequence[1] in "\r\n\t\x7f\x08" else None
    if (key := _KEY.fullmatch(sequence)) is not None:
        return _known_key(key)
    for form in (_MOUSE, _MODE, _SIZE):
        if form.fullmatch(sequence) is not None:
            return sequence
    return None


def _known_key(key: re.Match[str]) -> str | None:
    """A kitty or xterm key without what Textual can not read: event kinds, other layouts, odd texts."""
    if key["event"] == _RELEASED or not _is_character(key["code"] or "1"):
        return None
    parts = [key["code"]]
    if key["mods"] is not None or key["text"] is not None:
        parts.append(key["mods"] or "1")
    if key["text"]:
        points = key["text"].split(":")
        if all(_is_text(point, edit_keys=key["end"] == "~") for point in points):
            parts.append(":".join(points))
    return f"\x1b[{';'.join(parts)}{key['end']}"


def _is_character(number: str) -> bool:
    point = int(number)
    return point <= 0x10FFFF and not 0xD800 <= point <= 0xDFFF


def _is_text(number: str, *, edit_keys: bool) -> bool:
    if not number or not _is_character(number):
        return False
    return chr(int(number)).isprintable() or (edit_keys and int(number) in _EDIT_KEYS)


class TerminalGone(EOFError):
    """Nothing more will come from the terminal: its window was closed."""


class InputDecoder:
    """UTF-8 to text, bytes that are none become U+FFFD. No bytes at all mean the terminal is gone."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode

    def decode(self, data: bytes, final: bool = False) -> str:
        """Text for `data`.

        Raises:
            TerminalGone: for an empty read: else Textual would spin on it.
        """
        if not data and not final:
            raise TerminalGone
        return self._decode(data, final)
