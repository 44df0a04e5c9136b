"""What is said about decisions that were not sent, or of which it is not known whether they arrived."""

from __future__ import annotations

YES_OR_NO = (
    "This server takes only a yes or a no: it cannot be given another input or answers. Nothing was sent."
)
DECIDE_PLAINLY = "Nothing was sent: this server takes only a yes or a no."
CHANGED = "This request changed since you saw it."
NOT_ARRIVED = "Your first answer did not arrive."
NOT_SENT = "Your first answer was not sent."
ANSWERED_BEFORE = (
    "You answered this before, and the server still shows it as waiting: it may be at work on it. "
    "That is checked again before anything is sent."
)
NOT_KNOWN = "It is not known whether your first answer arrived. That is checked before anything is sent."
IN_ANOTHER_WINDOW = "This was answered in another window meanwhile. What you answered here was not sent."
FROM_BEFORE = "Asked before kai-tui ended. It was read from the server again: this is what waits now."
FROM_BEFORE_HERE = "Asked before kai-tui ended. No server keeps this chat: this is what was kept here."
FROM_BEFORE_OPEN = (
    "Asked before kai-tui ended. The server's chat still shows it as open; if the server gave up waiting, "
    "it says so when you decide, and nothing happens."
)
STILL_WAITS = "The connection was lost. The server still shows this as waiting."
NO_RESULT_YET = "The server shows no result of your answer yet. Look at the project before you ask again."
GAVE_UP = (
    "The server does not wait for this any more: it gave up, or it was settled elsewhere. "
    "Your answer changed nothing."
)
SETTLED = "This request was already settled elsewhere."
ARRIVED = "Your answer arrived. What comes of it is read from the server in a moment."
RESULT_SHOWN = "What came of your answer is shown now."
