"""What is said about decisions that were not sent, or of which it is not known whether they arrived."""

from __future__ import annotations

YES_OR_NO = (
    "This server takes only a yes or a no: it cannot be given another input or answers. Nothing was sent."
)
DECIDE_PLAINLY = "Nothing was sent: this server takes only a yes or a no."
CHANGED = "This request changed since you saw it."
NOT_ARRIVED = "Your first answer did not arrive."
ANSWERED_BEFORE = (
    "You answered this before, and the server still shows it as waiting: it may be at work on it. "
    "That is checked again before anything is sent."
)
NOT_KNOWN = "It is not known whether your first answer arrived. That is checked before anything is sent."
IN_ANOTHER_WINDOW = "This was answered in another window meanwhile. What you answered here was not sent."
