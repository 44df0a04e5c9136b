"""One open account: its backend and the services that work on it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TYPE_CHECKING

from kai_tui.backends.agents import caps_for
from kai_tui.backends.errors import BackendError, CannotConnect, ConnectionLost, TokenRefused
from kai_tui.services.account import Account
from kai_tui.services.account_rules import account_rules
from kai_tui.services.agents import AgentList
from kai_tui.services.approval_queue import ApprovalService
from kai_tui.services.attention import Attention
from kai_tui.services.chat_service import ChatService
from kai_tui.services.connection import Connection as Connection
from kai_tui.services.connection import ConnectionState as ConnectionState
from kai_tui.services.connection import Pause as Pause
from kai_tui.services.disk_keeper import DiskKeeper
from kai_tui.services.history_service import HistoryService
from kai_tui.services.naming import assistant_name
from kai_tui.services.observers import Observers
from kai_tui.services.offers import Offers
from kai_tui.services.session_tools import SessionTools, no_ledger
from kai_tui.services.workspace_desks import WorkspaceDesks

if TYPE_CHECKING:
    from kai_tui.backends.attachments import Attachments
    from kai_tui.backends.base import Backend, Capabilities, Waiting
    from kai_tui.backends.secret import Secret
    from kai_tui.services.approval_round import Place
    from kai_tui.services.ledger import Ledger

_LOG = logging.getLogger(__name__)


class Workspace(WorkspaceDesks):
    """The chat screen's one door to the services."""

    def __init__(
        self,
        account: Account,
        open_backend: Callable[[], Awaitable[Backend]],
        keeper: DiskKeeper,
        *,
        clock: Callable[[], float] = monotonic,
        ledger: Ledger | None = None,
    ) -> None:
        """`clock` gives monotonic seconds, to the sessions and to the screen that shows them."""
        self.clock = clock
        self.account = account
        self._open_backend = open_backend
        self._keeper = keeper
        self._backend: Backend | None = None
        self._retired: list[Backend] = []
        """Those before `reopen`: what still streams on them goes on."""
        self._opening: asyncio.Lock = asyncio.Lock()
        self._connecting: asyncio.Task[None] | None = None
        self._observers: Observers[Connection] = Observers()
        self._refusals: Observers[TokenRefused] = Observers()
        self._notices: Observers[str] = Observers()
        self.refused = False
        """Whether the server does not take the token any more; until `renew`."""
        self.connection = Connection("connecting")
        self.approvals = ApprovalService()
        self.history = HistoryService(self.backend, keeper)
        self.chats = ChatService(
            SessionTools(
                backend=self.backend,
                approvals=self.approvals,
                keeper=keeper,
                place=self._place,
                quota=lambda: self.offers.quota.ask(),
                assistant=assistant_name(account),
                clock=clock,
                presents=self._presents,
                ledger=ledger or no_ledger(),
            ),
            self.history,
            keeper,
        )
        self.grants = account_rules(self.approvals, self.chats, clock, self._presents_at_once)
        self.offers = Offers(
            self.backend,
            self.chats,
            heard=self._heard,
            offline=lambda: self.connection.state == "failed",
        )
        self.agents = AgentList(self.backend, lambda: self._backend)
        self._listing: asyncio.Task[None] | None = None
        self.attention = Attention(self.chats, self.approvals, self.history, keeper)
        self.chats.hear(self._call_ended)

    def attachments(self, chat_id: str | None) -> Attachments | None:
        """How files go with messages of a chat (None: a new one); None where they do not, or nothing is known yet."""
        backend = self._backend
        if backend is None or not caps_for(backend, chat_id).attachments:
            return None
        return backend.attachments

    def observe(self, callback: Callable[[Connection], None]) -> Callable[[], None]:
        """Hear of changes of `connection`."""
        return self._observers.add(callback)

    def observe_refusals(self, callback: Callable[[TokenRefused], None]) -> Callable[[], None]:
        """Hear that the token was refused, whatever was asked for; once for each refused request."""
        return self._refusals.add(callback)

    def observe_notices(self, callback: Callable[[str], None]) -> Callable[[], None]:
        """Hear sentences of the backend that belong to no chat. Raw."""
        return self._notices.add(callback)

    def renew(self, account: Account, token: Secret) -> None:
        """Go on with another token of the same account. Chats, drafts and questions stay as they are."""
        self.account = account
        self.refused = False
        if self._backend is not None:
            self._backend.renew(token)
        self.connect()

    def reopen(self, account: Account, open_backend: Callable[[], Awaitable[Backend]]) -> None:
        """Go on as the same account with other settings or another credential. Chats, drafts and questions stay;
        nothing is sent again by itself."""
        self.account = account
        self.refused = False
        self._open_backend = open_backend
        before, self._backend = self._backend, None
        if before is not None:
            before.on_wait = before.on_refused = before.on_notice = None
            self._retired.append(before)
        self.connect(anew=True)

    @property
    def keeper(self) -> DiskKeeper:
        """What is kept of this account on disk."""
        return self._keeper

    @property
    def needs_looking_after(self) -> bool:
        """Whether there is a connection to a server, or something that runs on one."""
        if self._backend is None or self.account.kind == "sandbox":
            return False
        running = any(session.turn.busy for session in self.chats.sessions.values())
        return running or self.connection.state == "connected"

    async def woke(self) -> None:
        """The computer was asleep: find out what became of connections, turns and questions. Never raises."""
        self.grants.end("the computer slept")
        if self._backend is None or not self.needs_looking_after:
            return
        # First: what is read from here on must not use a connection that died in its sleep.
        await self._backend.hang_up(streams=False)
        for session in tuple(self.chats.sessions.values()):
            session.woke()
        self.connect()

    @property
    def caps(self) -> Capabilities | None:
        """What can be done in a new chat; None until the backend is open."""
        return self.caps_of(None)

    def caps_of(self, chat_id: str | None) -> Capabilities | None:
        """What can be done in a chat (None: a new one); None until the backend is open."""
        return caps_for(self._backend, chat_id) if self._backend is not None else None

    async def choose_agent(self, agent_id: str, *, chat_id: str | None = None) -> None:
        """New chats are with this agent from now on, or this chat goes on with it. Raises BackendError."""
        await self.agents.choose(agent_id, chat_id=chat_id)
        self.offers.agent_chosen()

    def connect(self, *, anew: bool = False) -> None:
        """Connect (again) in the background; `anew` also when it does so already."""
        before = self._connecting
        if before is not None and not before.done():
            if self.connection.state == "connecting" and not anew:
                return
            before.cancel()  # it was connected and only read lists: they are read anew
        again = self.connection.state == "failed"
        self._set(Connection("connecting"))
        self._connecting = asyncio.create_task(self._connect(before, again), name="connect")

    async def backend(self) -> Backend:
        """The backend, opened at the first call. Raises BackendError."""
        while self._backend is None:
            async with self._opening:
                if self._backend is None:
                    await self._open()
        return self._backend

    async def _open(self) -> None:
        opener = self._open_backend
        try:
            backend = await opener()
        except BackendError as error:
            if opener is not self._open_backend:
                return  # it was about what the account was before: asked anew
            if isinstance(error, TokenRefused):
                self._token_refused(error)
            raise
        except Exception as error:
            _LOG.exception("the backend could not be opened")
            raise CannotConnect(
                "kai-tui made a mistake while connecting. Nothing was sent.", code="fault"
            ) from error
        if opener is not self._open_backend:
            await backend.aclose()
            return
        backend.on_wait = self._waits
        backend.on_refused = self._token_refused
        backend.on_notice = self._notices.tell
        self._backend = backend

    async def save_draft(self, chat_id: str, text: str) -> None:
        """Keep what is being typed; an empty text removes the draft. Never raises."""
        await self._keeper.save_draft(chat_id, text)

    async def draft(self, chat_id: str) -> str:
        """What was being typed in this chat, else an empty string."""
        return await self._keeper.draft(chat_id)

    async def last_draft(self, besides: str = "") -> tuple[str, str] | None:
        """(chat id, text) of the newest draft, to take up after a crash; not that of the chat `besides`."""
        return await self._keeper.last_draft(besides) or await self._keeper.last_enclosed(besides)

    async def waiting_chats(self) -> list[str]:
        """Chats in which messages of an earlier run wait to be sent, the newest first. Never raises."""
        return await self._keeper.waiting_chats()

    async def remember_prompt(self, text: str, chat_id: str) -> None:
        """For recall with ↑; forgotten with its chat. Never raises."""
        await self._keeper.remember_prompt(text, chat_id)

    async def prompts(self) -> list[str]:
        """Earlier prompts, the oldest first."""
        return await self._keeper.prompts()

    @property
    def storage_notice(self) -> str | None:
        """One sentence when data is kept in memory only (read-only home, disk full)."""
        return self._keeper.notice

    async def aclose(self) -> None:
        """Stop turns, save, close connections and files."""
        self.grants.end("the account was left")
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        if self._present_values is not None:
            await self._present_values.aclose()
        if self._objects is not None:
            await self._objects.aclose()
        if self._documents is not None:
            await self._documents.aclose()
        if self._listing is not None:
            self._listing.cancel()
            await asyncio.gather(self._listing, return_exceptions=True)
        await self.offers.aclose()
        if self._jobs is not None:
            await self._jobs.aclose()
        self.attention.leave()
        self.inbox.leave()
        await self.chats.aclose()
        await self.attention.aclose()
        await self.inbox.aclose()
        for backend in (*self._retired, self._backend):
            if backend is not None:
                await backend.aclose()
        await self._keeper.aclose()

    async def _connect(self, before: asyncio.Task[None] | None, again: bool) -> None:
        if before is not None:
            await asyncio.wait([before])
        await self._keeper.ready()
        await self.attention.restore()
        inbox = self.inbox
        try:
            backend = await self.backend()
            info = await backend.connect()
        except BackendError as error:
            self._set(
                Connection("failed", None, error.sentence, needs_sign_in=isinstance(error, TokenRefused))
            )
            await self.history.refresh()
            return
        self._set(Connection("connected", info, again=again))
        self.offers.connected()
        if self._jobs is not None:
            self._jobs.connected()
        if backend.agents is not None:
            self._list_agents()
        await self.history.refresh()
        await self.chats.refresh_copies()
        await inbox.read_again(backend)

    def _list_agents(self) -> None:
        async def ask() -> None:
            before = self.agents.chosen()
            await self.agents.load()
            if self.agents.chosen() != before:
                self.offers.agent_chosen()

        if self._listing is None or self._listing.done():
            self._listing = asyncio.create_task(ask(), name="agents")

    def _heard(self, error: BackendError | None) -> None:
        """The server answered something beside the chats, or did not: the status line must not say otherwise."""
        state = self.connection.state
        if error is None and state == "failed" and not self.connection.needs_sign_in:
            self.connect()
        elif isinstance(error, CannotConnect | ConnectionLost) and state == "connected":
            self._set(Connection("failed", self.connection.info, error.sentence))

    def _token_refused(self, error: TokenRefused) -> None:
        self.refused = True
        self._refusals.tell(error)

    def _waits(self, waiting: Waiting | None) -> None:
        """Reading pauses before another try, or goes on."""
        pause = None
        if waiting is not None:
            pause = Pause(self.clock() + waiting.seconds, waiting.attempt, waiting.of, waiting.sentence)
        self._set(self.connection._replace(pause=pause))

    def _set(self, connection: Connection) -> None:
        if connection.state != "connected":
            lost = connection.state == "failed"
            self.grants.end("the connection was lost" if lost else "the connection is made anew")
        self.connection = connection
        self._observers.tell(connection)

    def _place(self) -> Place:
        from kai_tui.services.approval_round import Place

        host = self._backend.host if self._backend is not None else ""
        branch = self.account.branch if self.account.kind in ("kai", "sandbox") else ""
        return Place(
            account=self.account.label,
            host=host,
            branch=branch,
            colour=self.account.colour,
            account_id=self.account.id,
        )
