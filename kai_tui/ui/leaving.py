"""Before an account is left or the program ends: what would be left in the middle is said, and asked about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from kai_tui.ui.app_part import AppPart

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kai_tui.services.attention import ChatState
    from kai_tui.services.workspace import Workspace

LEAVE = "confirm-leave"
"""Name of the dialog."""

MOST_NAMED = 4
TITLE_LENGTH = 50


class AsksBeforeLeaving(AppPart):
    """The part of the app that leads out of an account and out of the program."""

    workspace: Workspace | None

    async def action_quit(self) -> None:
        """Leave, after asking when that breaks something off."""
        self.leave_program()

    def leave_program(self) -> None:
        """The same, for whoever cannot wait. Asked a second time, it leaves."""
        if self.screen.name == LEAVE:
            self.exit()
        else:
            self.before_leaving("Quit?", "Quit", self.exit, hint="Ctrl+Q again quits too.")

    def before_leaving(self, heading: str, yes: str, then: Callable[[], None], *, hint: str = "") -> None:
        """Do it at once when nothing runs; else say what runs, and ask."""
        workspace = self.workspace
        running = workspace.attention.running() if workspace is not None else []
        if workspace is None or not running:
            then()
            return
        from kai_tui.ui.modals.confirm import Confirm

        queued = sum(len(session.queue) for session in workspace.chats.sessions.values())
        body = left_in_the_middle(running, queued)
        if hint:
            body = Content.assemble(body, "\n", (hint, "$text-muted"))
        self.push_screen(
            Confirm(heading, body, yes=yes, no="Stay", name=LEAVE), lambda sure: then() if sure else None
        )


def left_in_the_middle(running: Sequence[ChatState], queued: int) -> Content:
    """The dialog's words. `running` as `Attention.running` gives it; `queued` messages wait to be sent."""
    from kai_tui.conversation.safe_text import safe_line

    replies = sum(each.want == "working" for each in running)
    decisions = sum(each.decisions for each in running)
    counts: list[str] = []
    if replies:
        counts.append("1 reply runs" if replies == 1 else f"{replies} replies run")
    if decisions:
        counts.append("1 decision waits" if decisions == 1 else f"{decisions} decisions wait")
    parts: list[str | tuple[str, str]] = [(" and ".join(counts) + ":", "bold")]
    for each in running[:MOST_NAMED]:
        sign, style = ("● ", "$text-accent") if each.want == "working" else ("! ", "$text-warning")
        parts += [("\n" + sign, style), safe_line(each.title.strip(), TITLE_LENGTH) or "Untitled chat"]
    if len(running) > MOST_NAMED:
        parts.append(f"\n  and {len(running) - MOST_NAMED} more")
    parts.append("\n\n")
    if replies:
        parts.append("What came so far is kept, but kai-tui stops listening. ")
    if decisions:
        parts.append("Nothing is decided by leaving: you are asked again. ")
    if queued:
        one = queued == 1
        parts.append(f"{queued} waiting {'message is' if one else 'messages are'} kept. ")
    return Content.assemble(*parts)
