"""How a job goes that a call started: one line below its card, which changes until the job has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kai_tui.conversation.safe_text import safe_line
from kai_tui.ui.transcript.renderers.duration import words_for
from kai_tui.ui.transcript.rows import Lead, Link, Row, Span

if TYPE_CHECKING:
    from kai_tui.services.job_state import JobState


class _Look(NamedTuple):
    glyph: str
    words: str
    style: str


_LOOKS = {
    "created": _Look("○", "is about to start", "tool-running"),
    "waiting": _Look("○", "waits to start", "tool-running"),
    "processing": _Look("●", "is running", "tool-running"),
    "terminating": _Look("●", "is being stopped", "tool-denied"),
    "success": _Look("✓", "ended well", "tool-done"),
    "warning": _Look("!", "ended with a warning", "tool-denied"),
    "error": _Look("✗", "failed", "tool-failed"),
    "cancelled": _Look("⊘", "was stopped", "tool-denied"),
    "terminated": _Look("⊘", "was stopped", "tool-denied"),
}


def _look(state: JobState) -> _Look:
    job = state.job
    status = safe_line(job.status, 40) or "no status"
    if state.why_not:
        # What was true some time ago is not said as if it were so now.
        known = _LOOKS.get(job.status)
        was = f"was {status} when it was last seen" if known is not None else "was started"
        return _Look("○", was, "muted")
    if job.status in _LOOKS:
        return _LOOKS[job.status]
    return _Look("○", f"ended: {status}" if job.finished else f"is {status}", "tool-running")


def job_row(state: JobState, now: float) -> Row:
    """`now`: monotonic seconds. One line whatever the width; the opened card has the whole message."""
    job = state.job
    glyph, words, style = _look(state)
    name = f"Job {safe_line(job.id, 64)}"
    text = f"{name} {words}"
    spans = [Span(0, len(name), "link" if job.url else "tool"), Span(len(name), len(text), style)]
    links = [Link(0, len(name), job.url)] if job.url else []
    seconds = None if state.why_not else state.seconds(now)
    quiet = ""
    if seconds is not None:
        quiet = f" after {words_for(int(seconds))}" if job.finished else f"  {words_for(int(seconds))}"
    why = state.why_not or (job.message if job.finished and job.status != "success" else "")
    if why:
        quiet += f": {safe_line(' '.join(why.split()), 400)}"
    if quiet:
        spans.append(Span(len(text), len(text) + len(quiet), "muted"))
        text += quiet
    return Row(text, spans, links, lead=(Lead(f"  {glyph} ", style),), wrap="cut")


def job_facts(state: JobState) -> str:
    """All that is known of it, in lines; raw."""
    job = state.job
    rows = (
        ("status", job.status),
        ("component", job.component_id),
        ("configuration", job.configuration_id),
        ("created", job.created),
        ("started", job.started),
        ("ended", job.ended),
        ("address", job.url),
        ("message", job.message),
        ("not known now", state.why_not),
    )
    return "\n".join(f"{name}: {value}" for name, value in rows if value)
