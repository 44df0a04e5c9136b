"""What is known of a job that a chat started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from kai_tui.backends.project import Job

if TYPE_CHECKING:
    from kai_tui.conversation.started_jobs import StartedJob


@dataclass(frozen=True, slots=True)
class JobState:
    """A job, and whether somebody looks how it goes on. Texts are raw."""

    job: Job
    following: bool = False
    """Whether it is asked for again until it has ended."""
    why_not: str = ""
    """Why it is not known how it goes now: one sentence; empty when it is known."""
    ran: float | None = None
    """Seconds it had run at `at`, while it runs; None: nobody knows."""
    at: float = 0.0
    """Monotonic seconds."""

    def seconds(self, now: float) -> float | None:
        """How long it took, or has been running by now."""
        if self.job.finished:
            return self.job.seconds
        return None if self.ran is None else self.ran + max(0.0, now - self.at)


def job_of(started: StartedJob) -> Job:
    """The job as its call answered."""
    return Job(
        started.id,
        started.status,
        started.finished,
        started.component_id,
        started.configuration_id,
        started=started.started,
        ended=started.ended,
        seconds=started.seconds if started.finished else None,
        message=started.message,
        url=started.url,
    )


def running(job: Job, *, now: float, wall: float) -> JobState:
    """A job that was just seen. `now`: monotonic seconds; `wall`: seconds since the epoch."""
    if job.finished:
        return JobState(job, at=now)
    ran = job.seconds or None
    if ran is None and job.started:
        try:
            ran = max(0.0, wall - datetime.fromisoformat(job.started).timestamp())
        except (ValueError, OverflowError, OSError):
            ran = None
    return JobState(job, following=True, ran=ran, at=now)


def job_noted(note: Any) -> Job | None:
    """An ended job from a note; None when there is none to be read."""
    if not isinstance(note, dict):
        return None
    values = cast("Mapping[str, Any]", note)
    kept: dict[str, Any] = {}
    for each in fields(Job):
        value = values.get(each.name)
        if each.name == "finished":
            kept[each.name] = value is True
        elif each.name == "seconds":
            kept[each.name] = (
                value if isinstance(value, int | float) and not isinstance(value, bool) else None
            )
        else:
            kept[each.name] = value if isinstance(value, str) else ""
    job = Job(**kept)
    return job if job.id and job.finished else None


def note_of(job: Job) -> dict[str, Any]:
    """What is kept of an ended job."""
    return asdict(job)
