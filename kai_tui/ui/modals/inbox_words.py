"""What the list of questions says in words."""

from __future__ import annotations

from textual.content import Content

from kai_tui.services.account import MAIN, Account
from kai_tui.ui.inbox_rows import InboxRow, age_words, effect_tone, effect_words
from kai_tui.ui.widgets.one_line import clip

_LONGEST_ANSWER = 130
"""Cells."""


def _answer_words(row: InboxRow) -> str:
    """What goes with an answer that says more than the list has room for: the reason, what was changed."""
    from kai_tui.conversation.safe_text import safe_exact

    approval, answer = row.approval, row.answer
    if approval is None or answer is None:
        return ""
    if answer.approved and answer.updated_input is not None:
        from kai_tui.conversation.input_changes import changes

        changed = [each.words(_LONGEST_ANSWER) for each in changes(approval.input, answer.updated_input)]
        said = f"your answer: approve with changes: {'; '.join(changed)}"
    elif not answer.approved and answer.reason:
        said = f"your answer: deny: {answer.reason}"
    else:
        return ""
    return clip(safe_exact(" ".join(said.split()), one_line=True).text, _LONGEST_ANSWER)


def about_row(row: InboxRow | None, account: Account | None, now: float) -> Content:
    """Who asks for what, where, since when, and what is answered: a few lines under the list."""
    from kai_tui.conversation.safe_text import safe_exact, safe_prose

    if row is None:
        return Content("")
    asked = row.asked
    label = row.elsewhere.account.label if row.elsewhere else account.label if account else ""
    main = asked.branch in ("", MAIN)
    writes = asked.effect != "reads"
    age = age_words(asked.asked_at, now)
    tone = {"bad": "$text-error", "warning": "$text-warning", "quiet": "$text-success"}
    known = ", as last known" if row.approval is None else ""
    lines = [
        Content.assemble((safe_exact(asked.sentence or asked.tool_name, one_line=True).text, "bold")),
        Content.assemble(
            (effect_words(asked.effect), tone[effect_tone(asked.effect)]),
            (" · in ", "$text-muted"),
            safe_exact(label, one_line=True).text,
            *([(" · ", "$text-muted"), _branch(asked.branch, main, writes)] if asked.branch else []),
            (f" · {safe_exact(asked.tool_name, one_line=True).text}", "$text-muted"),
        ),
        Content.styled(
            " · ".join(
                filter(
                    None,
                    (
                        f"chat “{safe_exact(asked.chat_title, one_line=True).text}”"
                        if asked.chat_title
                        else "",
                        f"asked {age} ago" if age and age != "now" else "asked just now" if age else "",
                    ),
                )
            )
            + known,
            "$text-muted",
        ),
    ]
    said = _answer_words(row)
    if said:
        lines.append(Content.styled(said, "$text-muted"))
    if row.approval is not None and row.approval.note:
        lines.append(Content.styled(str(safe_prose(row.approval.note)), "$text-warning"))
    return Content("\n").join(lines)


def _branch(branch: str, main: bool, writes: bool) -> tuple[str, str]:
    from kai_tui.conversation.safe_text import safe_exact

    if main:
        return ("branch MAIN" if writes else "branch main", "bold $text-warning" if writes else "$text-muted")
    return (f"branch {safe_exact(branch, one_line=True).text}", "$text-warning")


def counts(here: int, there: int) -> str:
    """How many wait here and in other accounts."""
    parts = [f"{here} here"] if here else []
    if there:
        parts.append(f"{there} in {'another account' if there == 1 else 'other accounts'}")
    return " · ".join(parts)


def state_words(row: InboxRow | None, ready: int, held: int, *, sending: bool, armed: bool) -> str:
    """What a key would do now. `sending`: the button is chosen; `held`: answers that wait for others."""
    words: list[str] = []
    if sending:
        if not armed:
            words.append("◌ Reading time: keys do nothing until half a second of quiet")
        elif ready:
            words.append("● Ready: Enter sends · Tab back to the list")
        else:
            words.append("Nothing to send yet · Tab back to the list")
    elif row is None:
        words.append("Esc closes")
    elif row.approval is not None:
        mine = "u takes the answer back · " if row.answer is not None else ""
        then = "Tab to send · " if ready else ""
        words.append(f"Enter reads and answers it · d denies · {mine}{then}Esc closes")
    elif row.elsewhere is not None:
        words.append("Enter opens that account, which asks again · Esc closes")
    else:
        words.append(
            "It is asked again as soon as the server was read · Del forgets it, nothing is sent · Esc closes"
        )
    if held:
        words.append(
            f"{held} answer{'' if held == 1 else 's'} wait{'s' if held == 1 else ''} for the rest of "
            f"{'its' if held == 1 else 'their'} message: those go together."
        )
    return "\n".join(words)


def few_words(row: InboxRow | None, ready: int, *, sending: bool, armed: bool) -> str:
    """The same where there is one line for it."""
    if sending:
        return "Enter sends · Tab back" if armed else "◌ Reading time"
    if row is None or row.approval is None:
        return "Enter opens · Esc" if row is not None and row.elsewhere is not None else "Esc closes"
    return f"Enter reads · d no{' · Tab' if ready else ''}"
