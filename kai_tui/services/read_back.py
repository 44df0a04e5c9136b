"""Joining what the server says about a chat with what we know; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from kai_tui.conversation.approvals import digest, pending
from kai_tui.conversation.events import Finish
from kai_tui.conversation.kept_message import KeptMessage
from kai_tui.conversation.messages import GrowingPart, Message
from kai_tui.services.keeper import REPLY_STATES

MORE_AFTER_STOP = "The server went on after you stopped; what it had is shown."
_MORE = "The server had more of it, which is shown."


def put_in_place(messages: list[Message], old: Message, new: Message) -> None:
    """Put `new` where `old` is; a chat that was read anew meanwhile has the same message, but not this object."""
    places = [n for n, each in enumerate(messages) if each is old or each.id in (old.id, new.id)]
    place = places[-1] if places else len(messages)
    messages[place : place + 1] = [new]


def adopt(
    ours: Sequence[Message], theirs: Sequence[Message], *, questions: bool = True, final: bool = True
) -> list[Message]:
    """The server's messages, with what only we know: how turns ended, and replies it did not keep.

    A reply that was seen here stays after the message it answers, unless the server has one there; the
    mark of one that broke off stays until the server has more than we saw, and when it is not `final` also then (P7, P8).
    With `questions` messages of the user that the server does not know stand at the end.
    """
    known = {each.id: each for each in ours}
    there = {each.id for each in theirs}
    result: list[Message] = []
    for message in theirs:
        before = known.get(message.id)
        if before is not None and isinstance(message, KeptMessage) and message.same_as(before):
            message = before  # who shows it goes on showing it
        elif before is not None:
            message.errors, message.faults = before.errors, before.faults
            _mark(message, before, final)
        result.append(message)
    asked: Message | None = None
    for mine in ours:
        if mine.role == "user":
            asked = mine
            if questions and mine.id not in there:
                result.append(mine)
        elif mine.id not in there and mine.finish is not None:
            # It was seen here: a server that does not keep it, or not yet, takes nothing away (P7).
            _put_back(result, mine, asked, final)
    return result


def _put_back(result: list[Message], mine: Message, asked: Message | None, final: bool) -> None:
    at = next((n for n, each in enumerate(result) if asked is not None and each.id == asked.id), None)
    if at is None:
        return
    following = result[at + 1] if at + 1 < len(result) else None
    if following is None or following.role == "user":
        result.insert(at + 1, mine)
    else:
        _mark(following, mine, final)


def _mark(theirs: Message, ours: Message, final: bool) -> None:
    """A reply that broke off here is marked until the server has all of it."""
    if theirs.finish is not None:
        return
    if is_elsewhere(ours) or not _broke_off(ours) or len(theirs.text) <= len(ours.text):
        theirs.finish = ours.finish
    elif not final or _unfinished(theirs) or (ours.finish is not None and ours.finish.reason == "cancelled"):
        theirs.finish = with_more(ours.finish)


def _unfinished(message: Message) -> bool:
    """Whether the server itself says that it still writes this message."""
    return any(isinstance(part, GrowingPart) and not part.done for part in message.parts)


def with_more(finish: Finish | None) -> Finish | None:
    """How a reply ended here of which the server had more than was seen."""
    if finish is None:
        return None
    if finish.reason == "cancelled":
        return replace(finish, detail=MORE_AFTER_STOP)
    said = (finish.detail or "").removesuffix(_MORE).strip()
    return replace(finish, detail=f"{said} {_MORE}".strip())


def kept_of(message: Message, ours: Sequence[Message], theirs: Sequence[Message]) -> Message | None:
    """What the server has of a reply: under its id, else as the answer to the same question."""
    asked: str | None = None
    for each in ours:
        if each is message:
            break
        if each.role == "user":
            asked = each.id
    by_id = next((each for each in theirs if each.id == message.id), None)
    return by_id or next(iter(_answers(theirs, asked)), None)


def question_of(reply: Message, messages: Sequence[Message]) -> Message | None:
    """The user's message that a reply of this chat answers."""
    asked: Message | None = None
    for each in messages:
        if each is reply:
            return asked
        if each.role == "user":
            asked = each
    return None


def with_kept(ours: Sequence[Message], kept: Sequence[Message]) -> list[Message]:
    """What is known here of a chat, with the replies that only this computer keeps, each after its question."""
    own = {each.id: each for each in kept if each.role != "user"}
    joined = [own.get(each.id, each) for each in ours]
    there = {each.id for each in joined}
    for number, each in enumerate(kept):
        if each.role != "user" and each.id not in there:
            joined += [kept[number - 1], each] if number else [each]
    return joined


def answered(messages: Sequence[Message], message_id: str) -> bool:
    """Whether something stands after a user's message that answers it."""
    return next(iter(_answers(messages, message_id)), None) is not None


def _answers(messages: Sequence[Message], asked: str | None) -> Iterator[Message]:
    answering = False
    for each in messages:
        if each.role == "user":
            answering = each.id == asked
        elif answering:
            yield each


def _broke_off(message: Message) -> bool:
    return message.finish is not None and (message.finish.reason in REPLY_STATES or is_elsewhere(message))


def is_elsewhere(message: Message) -> bool:
    """Whether another window is reading this reply."""
    return message.finish is not None and message.finish.reason == "elsewhere"


def mark_unseen(messages: Sequence[Message], after: str, known: Collection[str], ended: Finish) -> None:
    """Replies to a message whose stream we did not see to its end are not complete to us (P8)."""
    for message in _answers(messages, after):
        if message.id not in known and message.finish is None:
            message.finish = ended


def went_on(ours: Message, theirs: Message) -> bool:
    """Whether the server knows more of this reply, or something else about its requests."""
    return len(theirs.text) > len(ours.text) or _requests(theirs) != _requests(ours)


def holder(messages: Sequence[Message], shown: Mapping[str, str]) -> Message | None:
    """The newest message that holds one of the shown calls: ids of messages may differ on a server."""
    for message in reversed(messages):
        if message.calls_any(shown):
            return message
    return None


def differs(current: Message, shown: Mapping[str, str]) -> bool:
    """Whether what waits is not exactly what was shown (A5): changed, gone, answered, or more of it.

    `shown` maps call ids to digests.
    """
    return _requests(current) != dict(shown)


def _requests(message: Message) -> dict[str, str]:
    return {
        call.tool_call_id: digest(call.approval_id, call.tool_call_id, call.tool_name, call.input)
        for call in pending(message)
    }
