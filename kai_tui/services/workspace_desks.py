"""What of an open account is made only when somebody wants it: the first frame needs none of it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kai_tui.backends.base import Backend, Whose
    from kai_tui.backends.project import Project
    from kai_tui.conversation.reviews.review import Presents
    from kai_tui.services.approval_service import Approval, ApprovalService
    from kai_tui.services.attention import Attention
    from kai_tui.services.changes import SessionChange
    from kai_tui.services.chat_service import ChatService
    from kai_tui.services.chat_session import ChatSession
    from kai_tui.services.disk_keeper import DiskKeeper
    from kai_tui.services.documents import DocumentDesk
    from kai_tui.services.history_service import HistoryService
    from kai_tui.services.inbox import Inbox
    from kai_tui.services.instructions import Instructions
    from kai_tui.services.jobs import JobWatch
    from kai_tui.services.observers import Observers
    from kai_tui.services.present_values import PresentValues
    from kai_tui.services.project_listing import ProjectListing


class WorkspaceDesks:
    """The part of `Workspace` that is made late. What it works on is the workspace's."""

    clock: Callable[[], float]
    chats: ChatService
    approvals: ApprovalService
    history: HistoryService
    attention: Attention
    _keeper: DiskKeeper
    _backend: Backend | None
    _notices: Observers[str]
    _documents: DocumentDesk | None = None
    _inbox: Inbox | None = None
    _present_values: PresentValues | None = None
    _jobs: JobWatch | None = None
    _objects: ProjectListing | None = None

    @abstractmethod
    async def backend(self) -> Backend:
        """The backend, opened at the first call. Raises BackendError."""

    @property
    def inbox(self) -> Inbox:
        """All questions that wait in this account, over all its chats; made at its first use."""
        if self._inbox is None:
            from kai_tui.services.inbox import Inbox

            self._inbox = Inbox(
                self.chats,
                self.approvals,
                self.history,
                self._keeper,
                say=self._notices.tell,
                settled=self.attention.waits_no_more,
            )
        return self._inbox

    @property
    def unread_questions(self) -> int:
        """How many questions waited when they were last heard of and were not read again since."""
        return len(self._inbox.unread) if self._inbox is not None else 0

    def instructions(self, whose: Whose) -> Instructions:
        """The user's own instructions for Kai, or the project's, to be edited."""
        from kai_tui.services.instructions import Instructions

        return Instructions(self.backend, self._keeper, whose)

    @property
    def present_values(self) -> PresentValues:
        """What is there now, beside what a call would make of it."""
        if self._present_values is None:
            from kai_tui.services.present_values import PresentValues

            self._present_values = PresentValues(self.backend, self.chats)
        return self._present_values

    def _presents(self, approval: Approval) -> Presents:
        return self._present_values.known(approval) if self._present_values is not None else {}

    def _presents_at_once(self, approval: Approval) -> Presents:
        return self.present_values.at_once(approval)

    @property
    def documents(self) -> DocumentDesk:
        """What the assistant looks things up in: the list, and what is on its way to it."""
        if self._documents is None:
            from kai_tui.services.documents import DocumentDesk

            self._documents = DocumentDesk(self.backend)
        return self._documents

    @property
    def has_documents(self) -> bool:
        """Whether the assistant looks things up in documents; False until the backend is open."""
        return self._backend is not None and self._backend.documents is not None

    @property
    def jobs(self) -> JobWatch:
        """Follows the jobs that chats started."""
        if self._jobs is None:
            from kai_tui.services.jobs import JobWatch, ending

            self._jobs = JobWatch(
                self.chats,
                self.project,
                lambda session, job: self.attention.job_ended(session, ending(job)),
                clock=self.clock,
            )
        return self._jobs

    @property
    def objects(self) -> ProjectListing:
        """What the project has, for completing names in the prompt."""
        if self._objects is None:
            from kai_tui.services.project_listing import ProjectListing

            self._objects = ProjectListing(self.project, self._keeper)
        return self._objects

    async def project(self) -> Project | None:
        """What it works on, to be looked at; None where there is none. Raises BackendError."""
        return (await self.backend()).project

    def _call_ended(self, session: ChatSession, change: SessionChange) -> None:
        from kai_tui.services.changes import CallEnded, MessagesReset

        if isinstance(change, CallEnded) or (isinstance(change, MessagesReset) and session.watched):
            self.jobs.heard(session, change)
