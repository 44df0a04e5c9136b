"""Who asks, and every request that needs it: key and secret, or a sign-in whose token is renewed (knowrithm.md §2, §4)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from kai_tui.backends.base import (
    BackendError,
    ConnectionLost,
    NotAllowed,
    NotFound,
    OnRefused,
    OnWait,
    RateLimited,
    Refused,
    ServerFailed,
    TokenRefused,
    UnexpectedAnswer,
)
from kai_tui.backends.http import Answer, HttpDoor, Timeouts
from kai_tui.backends.http_request import Method
from kai_tui.backends.knowrithm.tasks import Pace, ack_of, failure_of, hint_of, result_of, state_of
from kai_tui.backends.knowrithm.wire import objects, text_of
from kai_tui.backends.multipart import Form
from kai_tui.backends.refusals import read_refusal
from kai_tui.backends.secret import Secret
from kai_tui.backends.tries import Rule
from kai_tui.conversation.events import JsonObject
from kai_tui.conversation.json_text import BadJson, decode_json

if TYPE_CHECKING:
    import httpx

LOCKED: Final = 423
_PASSING: Final = (ServerFailed, ConnectionLost, RateLimited)
_MAX_PASSING: Final = 3


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A company's key; needs the scopes read and write."""

    key: Secret
    secret: Secret


@dataclass(frozen=True, slots=True)
class Login:
    """What signing in with an e-mail address and a password came to. Without `refresh` it ends by itself."""

    access: Secret
    refresh: Secret | None = None


Credential: TypeAlias = ApiKey | Login
KeepLogin: TypeAlias = Callable[[Login], Awaitable[None]]
"""Keeps renewed tokens for the next start, before they are used."""
KeptMeanwhile: TypeAlias = Callable[[], Awaitable[Login | None]]
"""The tokens as they are kept now: another window may have renewed them, and a renewal token is good once."""


async def _keep_nothing(login: Login) -> None:
    """For who signs in anew each time."""


def headers_of(credential: Credential) -> dict[str, Secret | str]:
    """One kind only, never both (§2)."""
    if isinstance(credential, ApiKey):
        return {"x-api-key": credential.key, "x-api-secret": credential.secret}
    return {"authorization": Secret(f"Bearer {credential.access.reveal()}")}


def login_of(body: Any) -> Login | None:
    """The tokens in a reply, wherever they are: bare, or under `tokens`, `data` or `result` (§2)."""
    access = text_of(body, "access_token") or text_of(_inner(body, "tokens"), "access_token")
    refresh = text_of(body, "refresh_token") or text_of(_inner(body, "tokens"), "refresh_token")
    return Login(Secret(access), Secret(refresh) if refresh else None) if access else None


def _inner(body: Any, name: str) -> Any:
    return next((each[name] for each in objects(body) if isinstance(each.get(name), dict)), None)


class KnowrithmAccess:
    """Requests to one server. All methods raise only BackendErrors."""

    def __init__(
        self,
        base_url: str,
        credential: Credential | None,
        *,
        keep: KeepLogin = _keep_nothing,
        kept_meanwhile: KeptMeanwhile | None = None,
        pace: Pace | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        timeouts: Timeouts | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._transport, self._timeouts = transport, timeouts
        self.credential = credential
        headers = headers_of(credential) if credential is not None else None
        self.door = HttpDoor(base_url, auth_headers=headers, transport=transport, timeouts=timeouts)
        self.pace = pace or Pace()
        self._keep, self._kept_meanwhile = keep, kept_meanwhile
        self.sleep = sleep
        self._renewing = asyncio.Lock()
        self.on_refused: OnRefused | None = None

    @property
    def host(self) -> str:
        """The server's name, for sentences."""
        return self.door.host

    def use(self, credential: Credential) -> None:
        """Be this one from now on."""
        if type(credential) is not type(self.credential) and self.credential is not None:
            # Headers of the other kind would go along: one kind only (§2).
            raise Refused("This account signs in in another way. Add it as a new account.", code="credential")
        self.credential = credential
        self.door.renew(headers_of(credential))

    async def request(
        self,
        method: Method,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
        form: Callable[[], Form] | None = None,
        also: Collection[int] = (),
        auth: bool = True,
        rule: Rule | None = None,
        on_wait: OnWait | None = None,
        patient: bool = False,
        unsure_note: str = "",
    ) -> Answer:
        """As `HttpDoor.request`. A token that ran out is renewed, and what was refused because of it goes again.

        `form` makes the form anew for each try.
        """
        renewed = False
        while True:
            used = self.credential
            try:
                return await self.door.request(
                    method,
                    path,
                    params=params,
                    body=body,
                    form=form() if form is not None else None,
                    also=also,
                    auth=auth,
                    rule=rule,
                    on_wait=on_wait,
                    patient=patient,
                    unsure_note=unsure_note,
                )
            except TokenRefused as error:
                if not auth or renewed or not await self._renewed(used):
                    self._tell_refused(error)
                    raise
                renewed = True
            except Refused as error:
                raise locked(error, self.host) from None

    @asynccontextmanager
    async def stream(self, path: str) -> AsyncGenerator[httpx.Response, None]:
        """An event stream without a limit to its silence: whoever reads it has a clock."""
        used = self.credential
        opened = False
        try:
            async with self.door.stream("GET", path, silence=None) as response:
                opened = True
                yield response
            return
        except TokenRefused:
            if opened or not await self._renewed(used):
                raise
        async with self.door.stream("GET", path, silence=None) as response:
            yield response

    async def outcome(self, answer: Answer, *, what: str) -> Any:
        """What a request came to: its reply, or the result of the task the reply names (§4).

        `what` begins the sentence for a task that failed: "The chat was not deleted". Raises ServerFailed
        for that, and ConnectionLost when nothing is heard of it for too long.
        """
        body = answer.json() if "html" in answer.media_type else _json_or_none(answer)
        ack = ack_of(body, self.door.base_url)
        if ack is None or ack.task_path is None:
            return body
        return await self.task(ack.task_path, what=what, first=hint_of(body, answer))

    async def task(self, path: str, *, what: str, first: float | None = None, auth: bool = True) -> Any:
        """The result of a task, asked for until it is there."""
        pause, waited, passing = self.pace.first, 0.0, 0
        hint = first
        while waited < self.pace.give_up:
            wait = hint if hint is not None else pause
            if hint is None:
                pause = self.pace.after(pause)
            await self.sleep(wait)
            waited += max(wait, 0.001)
            try:
                answer = await self.request("GET", path, auth=auth)
            except _PASSING as error:
                passing += 1
                if passing >= _MAX_PASSING:
                    raise
                hint = error.retry_after
                continue
            passing = 0
            body = _json_or_none(answer)
            if not isinstance(body, dict):
                return body
            state = state_of(body)
            if state == "done":
                return result_of(cast("JsonObject", body))
            if state == "failed":
                raise ServerFailed(
                    f"{what}: {failure_of(body, 'the server gives no reason')}.",
                    code="task",
                    delivery="not-sent",
                )
            hint = hint_of(body, answer)
        raise ConnectionLost(
            f"{what}, as far as is known: {self.host} did not finish in {self.pace.give_up:g} s.",
            code="timeout",
        )

    # Tokens

    async def _renewed(self, used: Credential | None) -> bool:
        """Whether there is another token now than the one that was refused."""
        async with self._renewing:
            current = self.credential
            if not isinstance(current, Login):
                return False
            if current is not used:
                return True
            kept = await self._kept_meanwhile() if self._kept_meanwhile is not None else None
            if kept is not None and kept.access != current.access:
                self.credential = kept
                self.door.renew(headers_of(kept))
                return True
            if current.refresh is None:
                return False
            found = await self._refresh(current.refresh)
            if found is None:
                return False
            login = Login(found.access, found.refresh or current.refresh)
            await self._keep(login)
            self.credential = login
            self.door.renew(headers_of(login))
            return True

    async def _refresh(self, refresh: Secret) -> Login | None:
        """POST /auth/refresh; the sources differ on where the token goes, so it goes to both places (§2)."""
        with_refresh = KnowrithmAccess(
            self.door.base_url,
            Login(refresh),
            pace=self.pace,
            transport=self._transport,
            timeouts=self._timeouts,
            sleep=self.sleep,
        )
        try:
            answer = await with_refresh.request(
                "POST", "/v1/auth/refresh", body={"refresh_token": refresh.reveal()}, rule="until-reached"
            )
            return login_of(await with_refresh.outcome(answer, what="The sign-in could not be renewed"))
        except (TokenRefused, Refused, NotAllowed, NotFound):
            return None
        finally:
            if self._transport is None:
                await with_refresh.door.aclose()

    def _tell_refused(self, error: TokenRefused) -> None:
        if self.on_refused is not None:
            self.on_refused(error)


async def sign_in(
    base_url: str,
    email: str,
    password: Secret,
    *,
    pace: Pace | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    timeouts: Timeouts | None = None,
) -> Login:
    """POST /auth/login (§2): a task, as a rule. Raises TokenRefused for a wrong address or password,
    NotAllowed for a locked account.
    """
    access = KnowrithmAccess(base_url, None, pace=pace, transport=transport, timeouts=timeouts)
    try:
        body = {"email": email.strip(), "password": password.reveal()}
        try:
            answer = await access.request(
                "POST", "/v1/auth/login", body=body, auth=False, rule="until-reached"
            )
        except TokenRefused as error:
            raise _wrong_password(access.host, error) from None
        result = _json_or_none(answer)
        ack = ack_of(result, access.door.base_url)
        if ack is not None and ack.task_path is not None:
            result = await _outcome_of_login(access, ack.task_path, hint_of(result, answer))
        found = login_of(result)
        if found is None:
            raise UnexpectedAnswer(f"{access.host} gave no token for this sign-in.", code="shape")
        return found
    finally:
        if transport is None:
            await access.door.aclose()


async def _outcome_of_login(access: KnowrithmAccess, path: str, first: float | None) -> Any:
    try:
        return await access.task(path, what="Signing in failed", first=first, auth=False)
    except ServerFailed as error:
        if error.code != "task":
            raise
        raise _wrong_password(access.host, error) from None
    except TokenRefused as error:
        # There is nothing yet to show who asks: no word about the password.
        sentence = f"{access.host} took the sign-in but does not tell how it ended. Use a key instead."
        raise UnexpectedAnswer(sentence, status=error.status, detail=error.detail) from None


def _wrong_password(host: str, error: BackendError) -> TokenRefused:
    return TokenRefused(
        f"{host} does not know this e-mail address with this password.",
        status=error.status,
        detail=error.sentence if error.code == "task" else error.detail,
    )


def locked(error: Refused, host: str) -> BackendError:
    """423 means a locked account (§2, §10)."""
    if error.status != LOCKED:
        return error
    return NotAllowed(
        f"This account is locked at {host}. Its administrator can unlock it.", code="locked", status=LOCKED
    )


def said_by_knowrithm(answer: Answer) -> str | None:
    """What a refusal says when it is the server's own: a JSON object (§10). None for a proxy's page."""
    if not isinstance(_json_or_none(answer), dict):
        return None
    return read_refusal(answer.content, answer.media_type).message or "no reason given"


def _json_or_none(answer: Answer) -> Any:
    try:
        return decode_json(answer.content)
    except BadJson:
        return None
