"""The jobs that the calls of one chat started: how they go, and how they ended (kept over restarts)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from kai_tui.services.changes import PartChanged
from kai_tui.services.session_upkeep import SessionUpkeep

if TYPE_CHECKING:
    from kai_tui.backends.project import Job
    from kai_tui.services.job_state import JobState

MOST_KEPT = 200
"""Outcomes of jobs that are kept of a chat."""


class SessionJobs(SessionUpkeep):
    """Shows them; `JobWatch` follows them."""

    def restore_jobs(self, note: Any) -> None:
        """Take over how jobs ended, as it was noted."""
        if not isinstance(note, dict):
            return
        from kai_tui.services.job_state import JobState, job_noted

        for call_id, each in cast("Mapping[str, Any]", note).items():
            job = job_noted(each)
            if job is not None:
                self._jobs[call_id] = JobState(job)

    @property
    def has_open_jobs(self) -> bool:
        """Whether the end of a job is not known that was looked for."""
        return any(not each.job.finished for each in self._jobs.values())

    def show_job(self, call_id: str, state: JobState) -> None:
        """This is how the job of a call is now. An ended one is noted, also in the ledger."""
        before = self._jobs.get(call_id)
        self._jobs[call_id] = state
        self.redraw_call(call_id)
        if state.job.finished:
            from kai_tui.services.job_state import note_of

            ended = {key: note_of(each.job) for key, each in self._jobs.items() if each.job.finished}
            kept = dict(list(ended.items())[-MOST_KEPT:])
            self._in_background(self._tools.keeper.keep_note(self.chat_id, "jobs", kept))
            if before is None or not before.job.finished:
                self._in_background(self._record_job(call_id, state.job))

    async def _record_job(self, call_id: str, job: Job) -> None:
        from kai_tui.services.ledger_words import JOB_ENDED

        await self._tools.ledger.came_of_it(
            self.chat_id,
            call_id,
            "done" if job.status in ("success", "warning") else "failed",
            job=job.url or job.id,
            detail=f"{JOB_ENDED}{job.status}. {job.message}".rstrip(),
        )

    def redraw_call(self, call_id: str) -> None:
        """What a card says changed with time. Told to the screen only: nothing of the message changed."""
        for message in reversed(self.messages):
            for index, part in enumerate(message.parts if message.calls_any((call_id,)) else ()):
                if part.fields.get("toolCallId") == call_id:
                    self._observers.tell(PartChanged(message.id, index))
                    return
