"""What a question says before anything else: what would be done, how risky that is, and where (A4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from rich.cells import cell_len
from textual.content import Content

from kai_tui.conversation.reviews.review import Effect, Review
from kai_tui.services.account import MAIN
from kai_tui.services.approval_service import Approval
from kai_tui.ui.colour_marks import mark

if TYPE_CHECKING:
    from kai_tui.ui.modals.reading_view import Paragraph

_LABEL = 6
_LONG_TITLE = 60
"""Characters of a title that every sentence has whole."""


class _Effect(NamedTuple):
    chip: str
    words: str
    colour: str


EFFECTS: dict[Effect, _Effect] = {
    "destroys": _Effect("destroys", "what it takes away cannot be brought back", "error"),
    "deploys": _Effect("deploys", "people see the result at once", "error"),
    "unknown": _Effect("unknown tool", "treat it as one that changes things", "error"),
    "runs": _Effect("runs", "starts work in the project", "warning"),
    "changes": _Effect("changes", "something that is there now", "warning"),
    "costs": _Effect("costs", "uses time that is paid for", "warning"),
    "creates": _Effect("creates", "something new, overwrites nothing", "warning"),
    "reads": _Effect("reads only", "changes nothing", "success"),
}


@dataclass(frozen=True, slots=True)
class Head:
    """The lines over a question's arguments."""

    what: Content
    facts: Content
    whole: Sequence[Paragraph]
    """What had to be shortened, in full."""
    after: Sequence[Paragraph]
    """What had no room and is less important than the change."""


def on_main(approval: Approval) -> bool:
    """Whether it would take effect where everybody works: also where nobody knows of branches."""
    return approval.branch in ("", MAIN)


def level(review: Review) -> str:
    """`error`, `warning` or `success`: how risky a call is."""
    return EFFECTS[review.effects[0]].colour


def head(
    approval: Approval, review: Review, *, width: int, most: int, changed: bool = False, now: float = 0.0
) -> Head:
    """The head of a question, at most `width` cells wide; `most`: lines for its sentence, `now`: seconds since
    the epoch."""
    from kai_tui.conversation.safe_text import safe_exact
    from kai_tui.ui.modals.reading_view import Passage, fold_words

    whole: list[Paragraph] = [*_flagged(approval, review)]
    after: list[Paragraph] = []

    def shortened(label: str, text: str, room: int, lines: int = 1) -> str:
        folded = fold_words(text, max(8, room))
        if len(folded) <= lines:
            return text
        whole.extend([Passage(label, "title"), Passage(text, "value", "  ", "  ")])
        kept = folded[:lines]
        last = kept[-1].rstrip(" ")
        kept[-1] = f"{last if cell_len(last) < room else last[:-2]}…"
        return "".join(kept)

    sentence = safe_exact(review.sentence, one_line=True).text
    parts: list[tuple[str, str]] = [(shortened("What it does", sentence, width, most), "bold")]
    if changed:
        parts.append(("\nchanged since you saw it: read it again", "bold $text-warning"))
    if approval.note:
        parts.append((f"\n{approval.note}", "not bold $text-warning"))

    whole.extend(_title_cut(approval, review))
    room = width - _LABEL
    lines: list[Content] = []
    if approval.wants == "yes-no":
        lines.append(_chips(review, width))
    lines.append(_where(approval, review, shortened, room))
    host = safe_exact(approval.host, one_line=True).text
    tool = safe_exact(approval.tool_name, one_line=True).text
    chat = safe_exact(approval.chat_title, one_line=True).text
    lines.append(_fact("at", shortened("Host", host, room), "text"))
    with_words = shortened("Tool", tool, room)
    aside = ""
    # The chat's title is foreign: nothing of ours stands behind it.
    for words in (waits_words(approval, now), approval.rule, f"chat {chat}" if chat else ""):
        if words and cell_len(with_words) + cell_len(aside) + cell_len(words) + 3 <= room:
            aside += f" · {words}"
        elif words:
            after.append(Passage(words, "quiet", "◦ ", "  ", "quiet", wrap="words"))
    lines.append(Content.assemble(_fact("with", with_words, "text"), (aside, "$text-muted")))
    return Head(Content.assemble(*parts), Content("\n").join(lines), whole, after)


def waits_words(approval: Approval, now: float) -> str:
    """How long it waits by now, when that is worth a word."""
    from kai_tui.ui.inbox_rows import age_words

    return f"asked {age} ago" if (age := age_words(approval.asked_at, now)) not in ("", "now") else ""


def whole_head(approval: Approval, review: Review, *, now: float = 0.0) -> Sequence[Paragraph]:
    """All of the head as paragraphs, where a window has no rows for it."""
    from kai_tui.conversation.safe_text import safe_exact
    from kai_tui.ui.modals.reading_view import GAP, Passage

    effect = EFFECTS[review.effects[0]]
    said = [
        (review.sentence, "title"),
        (approval.note or "", "caution"),
        (f"{effect.chip}: {effect.words}", "caution"),
        (f"in {approval.account}", "value"),
        (f"branch {approval.branch}", "value") if approval.branch else ("", ""),
        (f"at {approval.host}", "value"),
        (f"with {approval.tool_name}", "value"),
        (waits_words(approval, now), "quiet"),
        (approval.rule, "quiet"),
        (f"chat {approval.chat_title}" if approval.chat_title else "", "quiet"),
    ]
    return [
        *_flagged(approval, review),
        *_title_cut(approval, review),
        *(Passage(safe_exact(text, one_line=True).text, style, hang="  ") for text, style in said if text),
        GAP,
    ]


def _flagged(approval: Approval, review: Review) -> Iterator[Paragraph]:
    """What looks like something else, or cannot be seen, in the names a decision hangs on (D5, D6)."""
    from kai_tui.conversation.safe_text import safe_exact
    from kai_tui.ui.modals.reading_view import Passage

    names = {
        "the tool's name": approval.tool_name,
        "the project": approval.account,
        "the branch": approval.branch,
        "the host": approval.host,
        "the chat's title": approval.chat_title,
        # Its quotation marks are ours.
        "what it does": review.sentence.replace("“", '"').replace("”", '"'),
    }
    said: set[str] = set()
    for label, raw in names.items():
        for flag in safe_exact(raw, one_line=True).flags:
            if flag not in said:
                said.add(flag)
                yield Passage(f"! in {label}: {flag}", "note", hang="  ", wrap="words")


def _title_cut(approval: Approval, review: Review) -> Iterator[Paragraph]:
    """The server's name for the tool, where the sentence has only its beginning."""
    if len(approval.title) > _LONG_TITLE and approval.title not in review.sentence:
        from kai_tui.conversation.safe_text import safe_exact
        from kai_tui.ui.modals.reading_view import Passage

        yield Passage("What the server calls the tool", "title")
        yield Passage(safe_exact(approval.title, one_line=True).text, "value", "  ", "  ")


class _Shortened(Protocol):
    def __call__(self, label: str, text: str, room: int, lines: int = 1) -> str: ...


def _fact(label: str, value: str, style: str) -> Content:
    return Content.assemble((f"{label:<{_LABEL}}", "$text-muted"), (value, f"${style}"))


def _chips(review: Review, width: int) -> Content:
    """The effects, the gravest first, and what the gravest means."""
    parts: list[tuple[str, str]] = []
    used = 0
    for effect in review.effects:
        chip, _, colour = EFFECTS[effect]
        parts += [(f" {chip} ", f"bold $background on $text-{colour}"), (" ", "")]
        used += len(chip) + 3
    _, words, colour = EFFECTS[review.effects[0]]
    if used + len(words) + 1 <= width:
        parts.append((f" {words}", f"$text-{colour}"))
    return Content.assemble(*parts)


def _where(approval: Approval, review: Review, shortened: _Shortened, room: int) -> Content:
    from kai_tui.conversation.safe_text import safe_exact

    shape = mark(approval.colour)
    project = safe_exact(approval.account, one_line=True).text
    named = f"{shape} {project}" if shape else project
    colour = f"account-{approval.colour}" if shape else "text"
    branch = safe_exact(approval.branch, one_line=True).text
    if not branch:
        return _fact("in", shortened("Project", named, room), colour)
    main = approval.branch == MAIN
    warns = main and review.writes
    shown_branch = f" {branch.upper()} " if warns else branch
    shown_branch = shortened("Branch", shown_branch, max(12, room // 2))
    words = "takes effect for everybody"
    between = " · branch " if room > 40 else " · "
    place = shortened("Project", named, room - cell_len(shown_branch) - len(between))
    used = cell_len(place) + cell_len(shown_branch) + len(between)
    return Content.assemble(
        _fact("in", place, colour),
        (between, "$text-muted"),
        (
            shown_branch,
            "bold $background on $text-warning" if warns else "bold $text-secondary" if not main else "",
        ),
        (f" {words}" if warns and used + len(words) < room else "", "$text-warning"),
    )
