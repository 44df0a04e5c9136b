"""Plays the assistant's script: thinks, writes, calls tools, asks first where it has to.

The two flavours of Kai differ in how they ask (protocols/kai.md §9): kai-assistant ends its stream
and goes on with the next request, kai-agent keeps the stream open until the decision arrives.
"""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, cast

from kai_tui.conversation.json_text import copy_json
from kai_tui.conversation.messages import Message, ToolPart
from kai_tui.sandbox.assistant import Call, Result, Script, Step
from kai_tui.sandbox.project import NotPossible, Project
from kai_tui.sandbox.stream import ChunkWriter
from kai_tui.sandbox.tools import TOOLS
from kai_tui.sandbox.tools.ask import ANSWERS

JsonObject: TypeAlias = dict[str, Any]
Flavour: TypeAlias = Literal["agent", "assistant"]
Treatment: TypeAlias = Literal["run", "ask", "refuse"]

DENIED = "User denied the tool call"
"""How the words begin that stand for a denied call (agent flavour)."""

PIECE_SECONDS = 0.028
PIECE_LENGTH = 9
"""Text comes in pieces of about this many characters, whole words."""

_WORD = re.compile(r"\s*\S+\s*")


@dataclass(frozen=True, slots=True)
class Decision:
    """What the user decided about a call of an open stream (kai.md §4.10)."""

    approved: bool
    reason: str = ""
    updated_input: JsonObject | None = None
    answers: JsonObject | None = None
    """What the user answered to a tool that asks questions."""


@dataclass(slots=True)
class Rules:
    """What may run, and what has to be asked: the user's permissions and the chat's restrictions."""

    permissions: Mapping[str, str] = field(default_factory=dict[str, str])
    restrictions: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def treatment(self, tool: str) -> tuple[Treatment, str]:
        """How to treat a call, and why it is refused."""
        read_only = tool in TOOLS and TOOLS[tool].read_only
        allowed = self.restrictions.get("allowedTools")
        if (isinstance(allowed, list) and tool not in allowed) or tool in (
            self.restrictions.get("disallowedTools") or ()
        ):
            return "refuse", f"The tool {tool} is not available in this chat."
        if self.restrictions.get("readOnlyMode") is True and not read_only:
            return "refuse", f"This chat is read-only, so {tool} may not run in it."
        permission = self.permissions.get(tool)
        if permission == "blocked":
            return "refuse", f"The tool {tool} is blocked in your settings."
        if permission == "always_allow" or (read_only and permission != "always_ask"):
            return "run", ""
        return "ask", ""


class Waiting:
    """Calls that wait for a decision, and those that got one: each gets one only."""

    def __init__(self) -> None:
        self._calls: dict[tuple[str, str], asyncio.Future[Decision]] = {}
        self._decided: set[tuple[str, str]] = set()

    async def decision(
        self, chat_id: str, call_id: str, keep: Callable[[], Awaitable[None]] | None = None
    ) -> Decision:
        """Wait until the user decided. `keep` is called when the call can be decided, before anything is waited for."""
        future: asyncio.Future[Decision] = asyncio.get_running_loop().create_future()
        self._calls[chat_id, call_id] = future
        try:
            if keep is not None:
                await keep()
            return await future
        finally:
            self._calls.pop((chat_id, call_id), None)

    def decide(self, chat_id: str, call_id: str, decision: Decision) -> bool:
        """Hand over a decision; False when no open stream waits for it."""
        future = self._calls.get((chat_id, call_id))
        if future is None or future.done():
            return False
        self._decided.add((chat_id, call_id))
        future.set_result(decision)
        return True

    def may_come_late(self, chat_id: str, call_id: str) -> bool:
        """Whether a decision about a call that no stream waits for could be the first one."""
        return (chat_id, call_id) not in self._decided and (chat_id, call_id) not in self._calls

    def take_late(self, chat_id: str, call_id: str) -> bool:
        """This call is decided now, by whoever asks first."""
        if not self.may_come_late(chat_id, call_id):
            return False
        self._decided.add((chat_id, call_id))
        return True


class Turn:
    """One answer being given."""

    def __init__(
        self,
        *,
        project: Project,
        chat_id: str,
        writer: ChunkWriter,
        rules: Rules,
        waiting: Waiting | None,
        pace: float,
        keep: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`waiting`: where decisions arrive (agent); None ends the stream to ask (assistant). `keep` stores the
        answer as it is, before it waits: what waits outlives the stream, and this process."""
        self._project = project
        self._chat_id = chat_id
        self._writer = writer
        self._rules = rules
        self._waiting = waiting
        self._pace = pace
        self._keep = keep
        self._written = 0

    async def play(self, script: Script, step: Step | None) -> None:
        """Play `step` and all that follow, to the end of the turn or until it has to ask."""
        while step is not None:
            await self._pause(0.3 + step.wait)
            await self._writer.write({"type": "start-step"})
            await self._say(step)
            if step.error is not None:
                await self._writer.write({"type": "error", "errorText": step.error})
                await self._finish("error")
                return
            if not step.calls:
                break
            results = await self._calls(step.calls)
            if results is None:
                await self._finish("tool-calls")
                return
            await self._writer.write({"type": "finish-step"})
            step = advance(script, results)
        await self._finish("stop")

    async def _finish(self, reason: str) -> None:
        await self._writer.write({"type": "finish-step"})
        tokens = {"promptTokens": 900 + self._written // 2, "completionTokens": self._written // 4}
        tokens["totalTokens"] = tokens["promptTokens"] + tokens["completionTokens"]
        await self._writer.write({"type": "data-usage", "data": tokens})
        await self._writer.write({"type": "finish", "finishReason": reason})

    async def _say(self, step: Step) -> None:
        if step.thought:
            await self._block("reasoning", step.thought, step.speed)
        if step.text:
            await self._block("text", step.text, step.speed)
        for part in step.parts:
            await self._writer.write(part)

    async def _block(self, kind: str, text: str, speed: float) -> None:
        block = uuid.uuid4().hex[:8]
        await self._writer.write({"type": f"{kind}-start", "id": block})
        for piece in pieces(text, int(PIECE_LENGTH * max(1.0, speed))):
            self._written += len(piece)
            await self._writer.write({"type": f"{kind}-delta", "id": block, "delta": piece})
            await self._pause(PIECE_SECONDS / min(speed, 1.0))
        await self._writer.write({"type": f"{kind}-end", "id": block})

    async def _calls(self, calls: Sequence[Call]) -> list[Result] | None:
        """The results of all calls, or None when the stream has to end to ask for some."""
        running: list[asyncio.Task[Result]] = []
        asks = False
        try:
            for call in calls:
                call_id = f"call_{uuid.uuid4().hex[:16]}"
                work = await self._announce(call, call_id)
                if work is None:
                    asks = True
                else:
                    running.append(asyncio.create_task(work()))
            results = [await task for task in running]
        finally:
            for task in running:
                task.cancel()
            if running:
                await asyncio.wait(running)
        return None if asks else results

    async def _announce(self, call: Call, call_id: str) -> Callable[[], Any] | None:
        """Write the call; answers with what is left to do, None when the user is asked by a later request."""
        named = {"toolCallId": call_id, "toolName": call.tool}
        text = json.dumps(call.input, ensure_ascii=False)
        self._written += len(text)
        await self._writer.write({"type": "tool-input-start", **named})
        for start in range(0, len(text), 24):
            await self._writer.write(
                {
                    "type": "tool-input-delta",
                    "toolCallId": call_id,
                    "inputTextDelta": text[start : start + 24],
                }
            )
            await self._pause(0.012)
        tool = TOOLS.get(call.tool)
        problem = tool.problem(call.input) if tool is not None else f"There is no tool {call.tool}."
        if problem is not None:
            await self._writer.write(
                {"type": "tool-input-error", **named, "input": call.input, "errorText": problem}
            )
            return lambda: self._failed(call, call_id, problem)
        await self._writer.write({"type": "tool-input-available", **named, "input": call.input})
        treatment, why = self._rules.treatment(call.tool)
        if treatment == "refuse":
            return lambda: self._failed(call, call_id, why)
        if treatment == "run":
            return lambda: self.run(call, call_id)
        if self._waiting is not None:
            return lambda: self._ask_and_run(call, call_id)
        await self._writer.write(
            {"type": "tool-approval-request", "approvalId": str(uuid.uuid4()), "toolCallId": call_id}
        )
        return None

    async def _failed(self, call: Call, call_id: str, why: str) -> Result:
        await self._writer.write({"type": "tool-output-error", "toolCallId": call_id, "errorText": why})
        return Result(call, "failed", error=why)

    async def _ask_and_run(self, call: Call, call_id: str) -> Result:
        assert self._waiting is not None
        decision = await self._waiting.decision(self._chat_id, call_id, self._keep)
        return await self.decided(call, call_id, decision)

    def runs_by_itself(self, tool: str) -> bool:
        """Whether nobody is asked about calls of this tool."""
        return self._rules.treatment(tool)[0] == "run"

    async def decided(self, call: Call, call_id: str, decision: Decision) -> Result:
        """Carry out what was decided about a call (agent flavour)."""
        if not decision.approved:
            why = f": {decision.reason}" if decision.reason else "."
            text = f"{DENIED}{why}"
            await self._writer.write({"type": "tool-output-error", "toolCallId": call_id, "errorText": text})
            return Result(call, "denied", reason=decision.reason)
        edited = decision.updated_input is not None and decision.updated_input != call.input
        if decision.updated_input is not None:
            call = Call(call.tool, decision.updated_input)
            self._remember_input(call_id, call.input)
            problem = TOOLS[call.tool].problem(call.input)
            if problem is not None:
                return await self._failed(call, call_id, problem)
        return await self.run(call, call_id, edited=edited, answers=decision.answers)

    def _remember_input(self, call_id: str, given: JsonObject) -> None:
        """What is stored is what ran; on the wire nothing announces an edited input."""
        for part in self._writer.message.parts:
            if isinstance(part, ToolPart) and part.tool_call_id == call_id:
                part.fields["input"] = copy_json(given)

    async def run(
        self, call: Call, call_id: str, *, edited: bool = False, answers: JsonObject | None = None
    ) -> Result:
        """Run a call and write its output. Once begun it comes to its end, also when the reader hangs up."""
        given = call.input if not TOOLS[call.tool].asks else {**call.input, ANSWERS: answers or {}}
        await self._pause(0.25 + 0.05 * (len(call_id) + sum(map(ord, call_id[-2:])) % 9))
        working = asyncio.ensure_future(asyncio.to_thread(TOOLS[call.tool].run, self._project, given))
        try:
            try:
                output = await asyncio.shield(working)
            except asyncio.CancelledError:
                await asyncio.wait([working])
                self._writer.note(_output_chunk(call_id, working))
                raise
        except NotPossible as error:
            return await self._failed(call, call_id, str(error))
        await self._writer.write(_output_chunk(call_id, working))
        return Result(call, "done", output=output, edited=edited)

    async def deny(self, call: Call, call_id: str, reason: str) -> Result:
        """Write that a call was refused (assistant flavour)."""
        await self._writer.write({"type": "tool-output-denied", "toolCallId": call_id})
        return Result(call, "denied", reason=reason)

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds * self._pace)


def _output_chunk(call_id: str, working: asyncio.Future[Any]) -> JsonObject:
    error = working.exception()
    if error is not None:
        return {"type": "tool-output-error", "toolCallId": call_id, "errorText": str(error)}
    return {"type": "tool-output-available", "toolCallId": call_id, "output": working.result()}


def advance(script: Script, results: list[Result]) -> Step | None:
    """The script's next step; None when it has none."""
    try:
        return script.send(results)
    except StopIteration:
        return None


def pieces(text: str, length: int) -> list[str]:
    """`text` in pieces of whole words, each about `length` characters."""
    found: list[str] = []
    piece = ""
    for match in _WORD.finditer(text):
        piece += match[0]
        if len(piece) >= length:
            found.append(piece)
            piece = ""
    if piece:
        found.append(piece)
    return found if found else [text]


def results_of(message: Message) -> list[list[tuple[ToolPart, Result | None]]]:
    """The calls of a stored message, step by step, with their results; None for open ones."""
    steps: list[list[tuple[ToolPart, Result | None]]] = []
    for part in message.parts:
        if part.type == "step-start":
            steps.append([])
        elif isinstance(part, ToolPart) and steps:
            steps[-1].append((part, _result(part)))
    return steps


def call_of(part: ToolPart) -> Call:
    """The call a stored part stands for."""
    return Call(part.tool_name, cast("JsonObject", part.input) if isinstance(part.input, dict) else {})


def _result(part: ToolPart) -> Result | None:
    call = call_of(part)
    if part.state == "output-available":
        return Result(call, "done", output=part.output)
    if part.state == "output-error":
        return Result(call, "failed", error=part.error_text or "")
    if part.state == "output-denied":
        reason: Any = (part.approval or {}).get("reason")
        return Result(call, "denied", reason=reason if isinstance(reason, str) else "")
    return None
