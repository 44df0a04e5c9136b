"""kai-agent: decisions about calls whose stream is gone, because the client or this server ended meanwhile.

How long a real kai-agent waits is not known (protocols/kai.md §17). This one waits on, in its database: it takes
the decision as long as the call is in the chat's last answer, runs the call, and goes on with the answer, which
the client reads back with the chat.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from kai_tui.conversation.messages import Message, ToolPart
from kai_tui.sandbox import assistant, branches
from kai_tui.sandbox.assistant import Result, Talk
from kai_tui.sandbox.desk import Desk, new_message
from kai_tui.sandbox.refusals import Refusal
from kai_tui.sandbox.stream import ChunkWriter
from kai_tui.sandbox.turns import DENIED, Decision, Rules, Turn, advance, call_of, results_of


class Unread(ChunkWriter):
    """Writes into the message only: nobody reads along."""

    async def write(self, chunk: Mapping[str, Any]) -> None:
        self.note(chunk)

    async def end(self) -> None:
        return None


async def decide_late(desk: Desk, chat_id: str, call_id: str, decision: Decision) -> bool:
    """Take a decision about a stored call and act on it in the background. False when none waits."""
    if not desk.waiting.may_come_late(chat_id, call_id):
        return False
    stored = await asyncio.to_thread(desk.store.messages, chat_id)
    if not stored or _open_call(new_message(stored[-1]), call_id) is None:
        return False
    try:
        lock = await desk.take(chat_id)
    except Refusal:
        return False
    try:
        stored = await asyncio.to_thread(desk.store.messages, chat_id)  # it may be another answer by now
        message = new_message(stored[-1])
        if _open_call(message, call_id) is None or not desk.waiting.take_late(chat_id, call_id):
            lock.release()
            return False
        turn = await _turn(desk, chat_id, message)
    except BaseException:
        lock.release()
        raise

    async def whole() -> None:
        try:
            await _act(turn, message, _talk(stored), call_id, decision)
        finally:
            try:
                await asyncio.shield(asyncio.to_thread(desk.store.put_message, chat_id, message.to_wire()))
            finally:
                lock.release()

    desk.beside(whole())
    return True


def _open_call(message: Message, call_id: str) -> ToolPart | None:
    calls = message.tool_calls() if message.role == "assistant" else []
    return next(
        (each for each in calls if each.tool_call_id == call_id and each.state == "input-available"), None
    )


async def _turn(desk: Desk, chat_id: str, message: Message) -> Turn:
    settings = await asyncio.to_thread(desk.store.settings, "user")
    restrictions = await asyncio.to_thread(desk.store.restrictions, chat_id)
    chat = await asyncio.to_thread(desk.store.chat, chat_id)
    project = await asyncio.to_thread(branches.on_branch, desk.project, (chat or {}).get("branchId"))
    rules = Rules(settings["toolPermissions"], restrictions)
    return desk.turn(chat_id, Unread(message), "agent", rules, project)


def _talk(messages: list[dict[str, Any]]) -> Talk:
    asked = max((n for n, each in enumerate(messages) if each["role"] == "user"), default=None)
    text = assistant.meant_of(messages[asked]) if asked is not None else ""
    return Talk(text, messages[: asked or 0])


async def _act(turn: Turn, message: Message, talk: Talk, call_id: str, decision: Decision) -> None:
    """Run or refuse the call; when no other call of its step waits, go on with the answer."""
    part = _open_call(message, call_id)
    assert part is not None
    decided = await turn.decided(call_of(part), call_id, decision)
    steps = results_of(message)
    results: list[Result] = []
    for each, result in steps[-1] if steps else ():
        if each.tool_call_id == call_id:
            results.append(decided)
        elif result is not None:
            refused = result.status == "failed" and result.error.startswith(DENIED)
            results.append(Result(result.call, "denied") if refused else result)
        elif turn.runs_by_itself(each.tool_name):
            results.append(
                await turn.run(call_of(each), each.tool_call_id)
            )  # its reader hung up before it ran
        else:
            return  # that one waits on
    script = assistant.begin(talk)
    step = next(script)
    for done in steps[:-1]:
        following = advance(script, [result for _, result in done if result is not None])
        if following is None:
            break
        step = following
    await turn.play(script, advance(script, results) if step.calls else None)
