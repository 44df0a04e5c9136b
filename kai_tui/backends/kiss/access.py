"""Who we are to a stack, and every request that needs it: authorize, start, ask, close (kiss-ai-stack.md §2, §3, §9).

A question changes nothing on the server, so it may go again after the two refusals that have a remedy:
401 (the token ran out) and 500 (the stack is not started, for one). Each remedy is tried once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from kai_tui.backends.base import (
    BackendError,
    NotFound,
    OnRefused,
    OnWait,
    ServerFailed,
    TokenRefused,
    UnexpectedAnswer,
)
from kai_tui.backends.http import Answer, HttpDoor
from kai_tui.backends.kiss.wire import (
    GONE_DETAILS,
    GREETING,
    Authorized,
    Scope,
    StackAnswer,
    auth_body,
    query_body,
)
from kai_tui.backends.multipart import Form
from kai_tui.backends.refusals import from_answer, read_refusal
from kai_tui.backends.secret import Secret
from kai_tui.backends.tolerant import read

SIGNING_IN: Final = "Signing in to the stack…"
STARTING: Final = "Starting the stack…"
WAITING: Final = "Waiting for the answer…"
LOST_DOCUMENTS: Final = "The stack does not know this program any more. It was registered anew; documents sent earlier are out of reach."


@dataclass(frozen=True, slots=True)
class KissClient:
    """Who we are to one server, to be kept with the account's credentials: the documents hang on it."""

    client_id: str
    client_secret: Secret
    scope: Scope


Keep: TypeAlias = Callable[[KissClient | None], Awaitable[None]]
"""Keeps the client for the next start, before anything is stored under it; None: forget it."""


class KissAccess:
    """Signs in when that is needed, and again when the server has forgotten. Questions may run side by side."""

    def __init__(
        self,
        door: HttpDoor,
        *,
        scope: Scope,
        known: KissClient | None,
        keep: Keep,
    ) -> None:
        self._door = door
        self._scope: Scope = scope
        self._keep = keep
        # A temporary one from an earlier run was never closed: a crash. Its documents are still there (§9).
        self._left_over = known if known is not None and known.scope == "temporary" else None
        self._client = None if self._left_over else known
        self._entered = asyncio.Lock()
        self._tokens = 0
        """Counts sign-ins, so that two requests refused with one token sign in once."""
        self._signed_in = self._started = False
        self._starts = 0
        self.on_refused: OnRefused | None = None
        self.on_notice: Callable[[str], None] | None = None
        """Told sentences for the user about what happened to the client."""

    @property
    def scope(self) -> Scope:
        """Of the client there is, else of the one that will be made."""
        return self._client.scope if self._client is not None else self._scope

    @property
    def client_id(self) -> str:
        """Whose documents are within reach; empty until somebody signed in."""
        return self._client.client_id if self._client is not None else ""

    async def ask(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        form: Callable[[], Form] | None = None,
        on_wait: OnWait | None = None,
        waiting: str = WAITING,
        changes: bool = False,
        unsure_note: str = "",
    ) -> AsyncGenerator[str | StackAnswer, None]:
        """What is being done, in sentences, and last the answer. Close it to hang up.

        `form` makes what is sent in the place of `body`, anew for each try. What `changes` something does not
        go again after a 500. `unsure_note` as in `HttpDoor.request`.
        """
        renewed, restarted = False, changes
        while True:
            async with aclosing(self.enter(on_wait)) as steps:
                async for step in steps:
                    yield step
            tokens, starts = self._tokens, self._starts
            yield waiting
            try:
                answer = await self._post(path, body, form, on_wait=on_wait, unsure_note=unsure_note)
            except TokenRefused as error:
                if renewed:
                    self._tell_refused(error)
                    raise
                renewed = True
                self._signed_in = self._signed_in and self._tokens != tokens
            except ServerFailed as error:
                # Any cause looks like this; "not started" is the one with a remedy (§3, §6).
                if error.status != 500 or restarted:
                    raise
                restarted = True
                self._started = self._started and self._starts != starts
            else:
                yield answer
                return

    async def enter(self, on_wait: OnWait | None = None) -> AsyncGenerator[str, None]:
        """Sign in and start the stack, as far as that is not done; yields what is being done."""
        async with self._entered:
            renewed = False
            while not self._started or not self._signed_in:
                if not self._signed_in:
                    yield SIGNING_IN
                    await self._sign_in(on_wait)
                if self._started:
                    break
                yield STARTING
                try:
                    await self._session("init", on_wait)
                except TokenRefused as error:
                    if renewed:
                        self._tell_refused(error)
                        raise
                    renewed, self._signed_in = True, False
                    continue
                self._started = True
                self._starts += 1

    async def restart(self) -> None:
        """`init` again: repeating it is harmless (§3)."""
        self._started = False
        async with aclosing(self.enter()) as steps:
            async for _ in steps:
                pass

    async def leave(self) -> None:
        """Close a temporary client, so that the server drops its documents; a persistent one stays (§3).

        Raises BackendErrors; the client is closed at the next start then.
        """
        client = self._client
        if client is not None and client.scope == "temporary":
            await self._close(client)

    async def start_over(self, scope: Scope) -> None:
        """Forget who we are; the next request registers a client of this scope. Documents stay behind."""
        async with self._entered:
            try:
                await self.leave()
            except BackendError:
                pass  # told to forget it
            self._client, self._scope = None, scope
            self._signed_in = self._started = False
            await self._keep(None)

    # Signing in

    async def _sign_in(self, on_wait: OnWait | None) -> None:
        if self._left_over is not None:
            try:
                await self._close(self._left_over)
            except ServerFailed:
                pass  # it cannot be closed, and nobody has to wait for that
            self._left_over = None
        if self._client is not None:
            known = await self._authorize(auth_body(
                None, self._client.client_id, self._client.client_secret.reveal()
            ), on_wait)  # fmt: skip
            if known is not None:
                self._use(known)
                return
            self._client, self._started = None, False
            await self._keep(None)
            if self.on_notice is not None:
                self.on_notice(LOST_DOCUMENTS)
        found = await self._authorize(auth_body(self._scope), on_wait)
        if found is None:
            error = TokenRefused(f"{self._door.host} lets no new program in.", status=401)
            self._tell_refused(error)
            raise error
        self._client = KissClient(found.client_id, Secret(found.client_secret), self._scope)
        await self._keep(self._client)
        self._started = False
        self._use(found)

    def _use(self, found: Authorized) -> None:
        self._door.renew({"authorization": Secret(f"Bearer {found.access_token}")})
        self._signed_in = True
        self._tokens += 1

    async def _authorize(self, body: Mapping[str, Any], on_wait: OnWait | None) -> Authorized | None:
        """POST /auth (§2). None when the server does not know these credentials."""
        try:
            answer = await self._door.request(
                "POST", "/auth", body=body, auth=False, also=(401,), rule="until-reached", on_wait=on_wait
            )
        except (NotFound, UnexpectedAnswer) as error:
            raise self._no_stack(error) from None
        if answer.status != 401:
            return read(Authorized, answer.json(), self._door.host)
        if read_refusal(answer.content, answer.media_type).message in GONE_DETAILS:
            return None
        # A proxy in front, perhaps: its word is no reason to forget the client.
        raise self._refused(answer)

    def _no_stack(self, error: BackendError) -> BackendError:
        if not isinstance(error, NotFound):
            return error
        sentence = f"There is no KISS AI Stack at {self._door.host}. Check the address."
        return NotFound(sentence, status=error.status, code=error.code)

    def _refused(self, answer: Answer) -> BackendError:
        headers = {"content-type": answer.media_type}
        error = from_answer(answer.status, headers, answer.content, self._door.host)
        if isinstance(error, TokenRefused):
            self._tell_refused(error)
        return error

    def _tell_refused(self, error: TokenRefused) -> None:
        if self.on_refused is not None:
            self.on_refused(error)

    # Requests with the token

    async def _session(self, action: str, on_wait: OnWait | None = None) -> StackAnswer:
        path = f"/sessions?action={action}"
        return await self._post(path, query_body(GREETING), on_wait=on_wait)

    async def _post(
        self,
        path: str,
        body: Mapping[str, Any] | None,
        form: Callable[[], Form] | None = None,
        *,
        on_wait: OnWait | None,
        unsure_note: str = "",
    ) -> StackAnswer:
        try:
            answer = await self._door.request(
                "POST",
                path,
                body=body,
                form=form() if form is not None else None,
                rule="until-reached",
                on_wait=on_wait,
                patient=True,
                unsure_note=unsure_note,
            )
        except NotFound as error:
            raise self._no_stack(error) from None
        return read(StackAnswer, answer.json(), self._door.host)

    async def _close(self, client: KissClient) -> None:
        """Close a temporary client and forget it. Its token may have run out long ago: it gets a new one first."""
        known = await self._authorize(auth_body(None, client.client_id, client.client_secret.reveal()), None)
        if known is not None:
            self._door.renew({"authorization": Secret(f"Bearer {known.access_token}")})
            try:
                await self._session("close")
            except ServerFailed as error:
                if error.status != 500:
                    raise
                await self._session("init")  # only a started stack can be closed (§3)
                await self._session("close")
        if client is self._client:
            self._client = None
        self._signed_in = self._started = False
        await self._keep(None)
