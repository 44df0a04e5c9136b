"""How far an interview is: a line for each thing that was answered, done and found out."""

from __future__ import annotations

from textual.content import Content

from kai_tui.ui.interview import Line


def lines_of(lines: list[Line], doing: str) -> Content:
    """What was answered, done and found out, a line each. What is done now comes last."""
    from kai_tui.conversation.safe_text import safe_line

    shown: list[Content] = []
    for line in lines:
        text = safe_line(line.text, 200)
        if line.kind == "answer":
            sign = ("✓ ", "$text-success") if line.checked else ("· ", "$text-muted")
            shown.append(Content.assemble(sign, (f"{text}  ", "$text-muted"), safe_line(line.value, 200)))
        elif line.kind == "done":
            shown.append(Content.assemble(("✓ ", "$text-success"), (text, "$text-muted")))
        else:
            shown.append(Content(f"  {text}"))
    if doing:
        shown.append(Content.assemble(("… ", "$text-warning"), safe_line(doing, 200)))
    return Content("\n").join(shown)
