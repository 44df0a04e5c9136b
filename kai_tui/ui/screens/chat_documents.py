"""Opening the documents panel, and telling of uploads that end while it is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kai_tui.services.notice import Notice
from kai_tui.ui.app_of import app_of
from kai_tui.ui.screens.chat_part import ChatPart

if TYPE_CHECKING:
    from kai_tui.services.documents import Upload


class ChatDocuments(ChatPart):
    """What the assistant of the open chat looks things up in."""

    _hearing_uploads = False

    def denies(self, action: str) -> bool:
        return not self.workspace.has_documents if action == "show_documents" else super().denies(action)

    def action_show_documents(self) -> None:
        """The documents of the open chat's agent."""
        from kai_tui.ui.modals.documents import DocumentsDialog

        if self.workspace.caps is None:
            self._tell(Notice("Not connected yet. Try again when the server answers.", "warning"))
            return
        if not self.workspace.has_documents:
            self._tell(Notice("This assistant has no documents to look things up in.", "warning"))
            return
        if isinstance(app_of(self).screen, DocumentsDialog):
            return
        desk = self.workspace.documents
        if not self._hearing_uploads:
            self._hearing_uploads = True
            desk.observe(self._upload_over)
        # A new chat has no documents of its own: they are its agent's.
        session = self._session
        chat_id = session.chat_id if session is not None and session.stored else None
        app_of(self).push_screen(DocumentsDialog(desk, chat_id))

    def _upload_over(self, upload: Upload | None) -> None:
        """In the panel it is seen; behind it, it has to be told."""
        from kai_tui.ui.modals.documents import DocumentsDialog

        if upload is None or upload.state == "stopped" or not self.is_attached:
            return
        if any(isinstance(screen, DocumentsDialog) for screen in app_of(self).screen_stack):
            return
        if upload.state == "failed":
            self._tell(Notice(f"{upload.name} was not stored. {upload.note}", "error"))
        else:
            self._tell(Notice(f"{upload.name} is stored."))
