"""The endpoints both flavours have: messages, chats, history, votes (protocols/kai.md §4)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp

from kai_tui import __version__
from kai_tui.sandbox import assistant, branches
from kai_tui.sandbox.answers import JsonAnswer
from kai_tui.sandbox.assistant import Result, Talk
from kai_tui.sandbox.desk import Desk, new_message
from kai_tui.sandbox.project import stamp
from kai_tui.sandbox.refusals import Flavour, Refusal, bad_request, no_chat
from kai_tui.sandbox.requests import ChatPost, chat_post, is_uuid, json_object
from kai_tui.sandbox.resuming import merge_answers, open_calls
from kai_tui.sandbox.stream import ChunkWriter, EventStream
from kai_tui.sandbox.turns import Rules, Turn, advance, call_of, results_of

JsonObject: TypeAlias = dict[str, Any]

PAGE_LIMIT = 100


class ChatRoutes:
    """The endpoints of one flavour."""

    def __init__(self, desk: Desk, flavour: Flavour) -> None:
        self._desk = desk
        self._store = desk.store
        self._flavour: Flavour = flavour
        self._since = desk.project.now()

    async def ping(self, _request: Request) -> Response:
        return JsonAnswer({"timestamp": stamp(self._desk.project.now())})

    async def info(self, _request: Request) -> Response:
        now = self._desk.project.now()
        return JsonAnswer(
            {
                "timestamp": stamp(now),
                "uptime": (now - self._since).total_seconds(),
                "appName": f"kai-{self._flavour}-sandbox",
                "appVersion": __version__,
                "serverVersion": __version__,
                # A list or one object, with a name or an address, as servers like (kai.md §4.2).
                "connectedMcp": [{"name": "sandbox-project", "status": "connected"}]
                if self._flavour == "agent"
                else {"url": "https://mcp.sandbox.kai-tui.invalid", "status": "connected"},
            }
        )

    async def post_chat(self, request: Request) -> ASGIApp:
        """A new message, or (assistant flavour) answers to approvals."""
        post = await chat_post(request)
        if post.is_answer and self._flavour == "agent":
            raise bad_request("message.role must be user: answer with POST /api/chat/{id}/approval.")
        branches.check(post.branch_id)
        lock = await self._desk.take(post.chat_id)
        try:
            if post.is_answer:
                writer, answer = await self._continued(post)
            else:
                writer, answer = await self._new(post)
        except BaseException:
            lock.release()
            raise

        async def whole() -> None:
            try:
                await answer()
            except Exception:  # noqa: BLE001 - a fault of ours must not leave the reader waiting
                await writer.write({"type": "error", "errorText": "The sandbox made a mistake."})
            finally:
                if writer.message.parts:
                    saving = asyncio.to_thread(
                        self._store.put_message, post.chat_id, writer.message.to_wire()
                    )
                    await asyncio.shield(saving)
            await writer.end()

        stream = EventStream(writer, whole, keep_alive_seconds=self._desk.keep_alive_seconds)
        stream.when_over(lock.release)
        return self._desk.opened(stream)

    async def _new(self, post: ChatPost) -> tuple[ChunkWriter, Callable[[], Coroutine[Any, Any, None]]]:
        text = assistant.text_of(post.message)
        said = self._desk.modes.command(text)
        before = await asyncio.to_thread(self._store_message, post)
        writer = ChunkWriter(new_message())
        turn = await self._turn(post, writer)

        async def answer() -> None:
            await writer.write({"type": "start", "messageId": writer.message.id})
            waiting = open_calls(before)
            if waiting and self._flavour == "assistant":
                await writer.write(_missing(waiting[0]))
                return
            if not before:
                title = assistant.title_of(text)
                await asyncio.to_thread(self._store.set_title, post.chat_id, title)
                await writer.write({"type": "data-chat-title", "data": title, "transient": True})
            talk = Talk(assistant.meant_of(post.message), before)
            script = assistant.begin(talk) if said is None else assistant.say(said)
            await turn.play(script, next(script))

        return writer, answer

    def _store_message(self, post: ChatPost) -> list[JsonObject]:
        """Keep the user's message; answers with those before it. Raises Refusal."""
        place = self._store.message_place(post.message["id"])
        before = self._store.messages(post.chat_id)
        if place is not None:
            if place != (post.chat_id, "user") or before[-1]["id"] != post.message["id"]:
                raise bad_request("message.id is taken.")
            return before[:-1]  # sent again because its answer got lost
        self._store.add_chat(post.chat_id, post.visibility, post.branch_id, post.restrictions)
        self._store.put_message(post.chat_id, post.message)
        return before

    async def _continued(self, post: ChatPost) -> tuple[ChunkWriter, Callable[[], Coroutine[Any, Any, None]]]:
        messages = await asyncio.to_thread(self._store.messages, post.chat_id)
        at = next((n for n, each in enumerate(messages) if each["id"] == post.message["id"]), None)
        if at is None or messages[at]["role"] != "assistant":
            raise no_chat() if not messages else bad_request("There is no such message in this chat.")
        merged = merge_answers(messages[at], post.message)
        await asyncio.to_thread(self._store.put_message, post.chat_id, merged)
        asked = max((n for n in range(at) if messages[n]["role"] == "user"), default=None)
        text = assistant.meant_of(messages[asked]) if asked is not None else ""
        talk = Talk(text, messages[: asked or 0])
        writer = ChunkWriter(new_message(merged))
        turn = await self._turn(post, writer)

        async def answer() -> None:
            await writer.write({"type": "start", "messageId": writer.message.id})
            await _go_on(turn, writer, talk)

        return writer, answer

    async def _turn(self, post: ChatPost, writer: ChunkWriter) -> Turn:
        rules = Rules()
        if self._flavour == "agent":
            settings = await asyncio.to_thread(self._store.settings, "user")
            rules = Rules(
                settings["toolPermissions"], await asyncio.to_thread(self._store.restrictions, post.chat_id)
            )
        project = await asyncio.to_thread(branches.on_branch, self._desk.project, post.branch_id)
        return self._desk.turn(post.chat_id, writer, self._flavour, rules, project)

    async def get_chat(self, request: Request) -> Response:
        chat_id = str(request.path_params["chat_id"]).lower()
        chat = await asyncio.to_thread(self._store.chat, chat_id)
        if chat is None:
            raise no_chat()
        messages = await asyncio.to_thread(self._store.messages, chat_id)
        return JsonAnswer(chat | {"messages": messages})

    async def delete_chat(self, request: Request) -> Response:
        chat_id = request.query_params.get("id", "").lower()
        if not chat_id:
            raise bad_request("Parameter id is required.")
        chat = await asyncio.to_thread(self._store.delete, chat_id)
        if chat is None:
            if self._flavour == "agent":
                raise Refusal("not_found", "chat", "Chat not found")
            raise Refusal(
                "forbidden",
                "chat",
                "This chat belongs to another user. Please check the chat ID and try again.",
            )
        return JsonAnswer(chat)

    async def history(self, request: Request) -> Response:
        query = request.query_params
        after, before = query.get("starting_after"), query.get("ending_before")
        if after and before:
            raise bad_request("Only one of starting_after or ending_before can be provided.")
        limit = query.get("limit", "10")
        if not limit.isascii() or not limit.isdigit() or len(limit) > 6 or int(limit) < 1:
            raise bad_request("limit must be a whole number above 0.")
        # The template's rule: ending_before brings older chats (kai.md §4.7); kai-client thinks otherwise.
        older = before if self._desk.cursor_rule == "template" else after
        page = await asyncio.to_thread(
            self._store.page,
            min(int(limit), PAGE_LIMIT),
            (after or before or "").lower() or None,
            "older" if older else "newer",
        )
        if page is None:
            if self._flavour == "agent":
                raise Refusal("not_found", "history", "Chat not found")
            return JsonAnswer({"code": "", "message": "Something went wrong. Please try again later."}, 400)
        return JsonAnswer({"chats": page.chats, "hasMore": page.has_more})

    async def votes(self, request: Request) -> Response:
        chat_id = request.query_params.get("chatId", "").lower()
        if not chat_id:
            raise bad_request("Parameter chatId is required.")
        if await asyncio.to_thread(self._store.chat, chat_id) is None:
            raise no_chat()
        return JsonAnswer(await asyncio.to_thread(self._store.votes, chat_id))

    async def vote(self, request: Request) -> Response:
        body = await json_object(request)
        chat_id, message_id, kind = body.get("chatId"), body.get("messageId"), body.get("type")
        if not is_uuid(chat_id) or not is_uuid(message_id) or kind not in ("up", "down"):
            raise bad_request("Parameters chatId, messageId, and type are required.")
        place = await asyncio.to_thread(self._store.message_place, str(message_id).lower())
        if place != (str(chat_id).lower(), "assistant"):
            raise Refusal("not_found", "vote", "There is no such message of the assistant.")
        await asyncio.to_thread(self._store.vote, str(chat_id).lower(), str(message_id).lower(), kind == "up")
        return PlainTextResponse("Message voted")

    async def no_stream(self, _request: Request) -> Response:
        """Nothing can be resumed (kai.md §4.9)."""
        return Response(status_code=204)


def _missing(call_id: str) -> JsonObject:
    """The SDK's own words for a conversation with an open call (kai.md §9.1)."""
    return {"type": "error", "errorText": f"Tool result is missing for tool call {call_id}."}


async def _go_on(turn: Turn, writer: ChunkWriter, talk: Talk) -> None:
    """Carry out what was decided, then go on with the turn where it had stopped."""
    steps = results_of(writer.message)
    if not steps or all(result is not None for _, result in steps[-1]):
        await writer.write({"type": "finish", "finishReason": "stop"})  # nothing was waiting any more
        return
    results: list[Result] = []
    still_open: list[str] = []
    for part, result in steps[-1]:
        if result is not None:
            results.append(result)
            continue
        approval = part.approval or {}
        if part.state != "approval-responded":
            still_open.append(part.tool_call_id)
        elif approval.get("approved") is True:
            results.append(await turn.run(call_of(part), part.tool_call_id))
        else:
            reason: Any = approval.get("reason")
            results.append(
                await turn.deny(call_of(part), part.tool_call_id, reason if isinstance(reason, str) else "")
            )
    if still_open:
        await writer.write(_missing(still_open[0]))
        return
    script = assistant.begin(talk)
    step = next(script)
    for done in steps[:-1]:
        next_step = advance(script, [result for _, result in done if result is not None])
        if next_step is None:
            break
        step = next_step
    await turn.play(script, advance(script, results) if step.calls else None)
