"""What goes with the next message: chosen, shown over the prompt, taken out again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from kai_tui.services.notice import Notice
from kai_tui.ui.action_words import key_name
from kai_tui.ui.actions import action
from kai_tui.ui.app_of import app_of
from kai_tui.ui.screens.chat_loan import ChatLoan

if TYPE_CHECKING:
    from kai_tui.backends.attachments import Attachments
    from kai_tui.services.enclosures import Enclosure
    from kai_tui.ui.modals.pick_file import Picked

ROWS = 3
"""Attachments that are named over the prompt; of more only how many there are."""


class ChatEnclosures(ChatLoan):
    """Files and addresses beside the words of the open chat."""

    def action_attach_file(self) -> None:
        """Choose what goes with the next message."""
        from kai_tui.services.enclosures import MOST, refusal
        from kai_tui.services.local_files import shown_size
        from kai_tui.ui.modals.pick_file import PickFile

        session = self._session
        if isinstance(app_of(self).screen, PickFile):
            return
        if self.workspace.caps is None or session is None:
            self._tell(Notice("Not connected yet. Try again when the server answers.", "warning"))
            return
        attachments = self.workspace.attachments(session.chat_id)
        if attachments is None:
            self._tell(Notice("No files can go with a message here.", "warning"))
            return
        if len(session.enclosed) >= MOST:
            self._tell(Notice(f"At most {MOST} attachments go with one message.", "warning"))
            return
        terms = attachments.terms

        def picked(found: Picked | None) -> None:
            if found is not None:
                self._enclose(found, attachments)

        app_of(self).push_screen(
            PickFile(
                "Attach a file or an address",
                f"Type a path or drop a file: {terms.what}, at most {shown_size(terms.largest)}. Or an address.",
                verb="attaches it",
                refusal=lambda file: refusal(file, terms),
                addresses=lambda address: _why_not(address, attachments),
            ),
            picked,
        )

    def _enclose(self, found: Picked, attachments: Attachments) -> None:
        from kai_tui.services.enclosures import MOST, of_attachment, of_file

        session = self._session
        if session is None:
            return
        more = [of_file(file) for file in found.files]
        if found.address:
            more = [of_attachment(attachments.at(found.address))]
        there = {each.place for each in session.enclosed}
        fresh = [each for each in more if each.place not in there][: MOST - len(session.enclosed)]
        if len(fresh) < len(more):
            self._tell(Notice(f"Each is attached once, and at most {MOST} in all."))
        session.enclose(*fresh)
        self.set_focus(self._composer)

    def action_detach_file(self) -> None:
        """Take the newest attachment out."""
        session = self._session
        if session is None or not session.enclosed:
            self._tell(Notice("Nothing is attached to the next message."))
            return
        session.take_out(session.enclosed[-1])

    def _show_enclosed(self) -> None:
        session = self._session
        enclosed = session.enclosed if session is not None and not self.lent else ()
        self._enclosed.set_class(bool(enclosed), "-shown")
        if enclosed:
            self._enclosed.update(enclosed_lines(enclosed, max(20, self._composer.size.width - 4)))

    def says_what_is_missing(self) -> bool:
        """Enter on the empty prompt: with something attached the words are missing. Says so then."""
        session = self._session
        if session is None or not session.enclosed or self.lent:
            return False
        self._tell(Notice("Write a few words about what is attached; Enter sends both."))
        return True


def _why_not(address: str, attachments: Attachments) -> str:
    from kai_tui.backends.base import BackendError

    try:
        attachments.at(address)
    except BackendError as error:
        return error.sentence
    return ""


def enclosed_lines(enclosed: Sequence[Enclosure], width: int) -> Content:
    """What goes along, a row each: name, size or host; the last row says how to take it out."""
    from rich.cells import cell_len

    from kai_tui.conversation.safe_text import safe_exact, safe_line
    from kai_tui.ui.widgets.one_line import clip

    hint = f" · {key_name(action('detach_file').keys[0])} takes it out"
    shown = enclosed if len(enclosed) <= ROWS else enclosed[-(ROWS - 1) :]
    lines: list[Content] = []
    if len(shown) < len(enclosed):
        lines.append(Content.styled(f"with it: {len(enclosed) - len(shown)} more and", "$text-muted"))
    for number, each in enumerate(shown):
        lead = "with it: " if not lines else "         "
        facts = safe_line(each.facts, 40)
        tail = f" · {facts}" if facts else ""
        tail += hint if number == len(shown) - 1 else ""
        name = clip(safe_exact(each.name, one_line=True).text, max(8, width - cell_len(lead + tail)))
        lines.append(Content.assemble((lead, "$text-muted"), (name, "bold"), (tail, "$text-muted")))
    return Content("\n").join(lines)
