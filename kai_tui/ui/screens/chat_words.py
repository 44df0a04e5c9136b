"""What the chat screen says around the conversation: status line, empty chat, waiting messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.content import Content

from kai_tui.services.naming import assistant_name, is_kai
from kai_tui.services.quota import level_of
from kai_tui.ui.action_words import hints, key_name
from kai_tui.ui.actions import action
from kai_tui.ui.screens.chat_terms_words import branch_words, terms_lines
from kai_tui.ui.widgets.choice_keys import MOST_CHOICES
from kai_tui.ui.widgets.reading_note import Opener
from kai_tui.ui.widgets.status_bar import Activity, StatusFacts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kai_tui.conversation.choices import Choice
    from kai_tui.services.approval_service import Approval
    from kai_tui.services.chat_session import ChatSession
    from kai_tui.services.grants import Grant
    from kai_tui.services.turn import Countdown
    from kai_tui.services.workspace import Connection, Pause, Workspace

LONGEST_PROMPT = 2000
"""Characters of a suggestion; nobody reads a longer one before sending it."""

SANDBOX_TRIES = (
    "Which region sold most last month?",
    "What tables do I have?",
    "Create a bucket called reports",
    "/demo",
)
PROJECT_TRIES = (
    "What tables do I have?",
    "Which of my jobs failed this week, and why?",
    "Describe the flow that runs every night",
)


_COPY = "asking the server for this chat; you see the copy kept here"


def status_facts(
    workspace: Workspace,
    session: ChatSession | None,
    waiting: int,
    *,
    others: str = "",
    elsewhere: int = 0,
    mouse: bool = True,
    reading: Sequence[tuple[str, str]] = (),
    copy: bool = False,
) -> StatusFacts:
    """The facts of the bottom line; `others` tells what other chats want, `elsewhere` how many questions wait
    in other accounts, `reading` the keys for what is read, `copy` that a chat is seen as it is kept here, while
    the server is asked for it."""
    connection = workspace.connection
    turn = session.turn if session is not None else None
    activity = _activity(connection, session)
    busy = turn is not None and turn.busy
    held = _held(connection, session)
    keys = tuple(reading) or hints()
    if busy:
        keys = (("Esc", "stop"), *keys)
    if others:
        keys = ((key_name(action("next_wanting").keys[0]), "next"), *keys)
        # The other chats' questions are told by `others`.
        waiting = len(session.pending_calls()) if session is not None else 0
    if session is not None and session.read_only_switch:
        keys = ((key_name(action("toggle_read_only").keys[0]), action("toggle_read_only").hint), *keys)
    if workspace.grants.active:
        keys = ((key_name(action("revoke_grants").keys[0]), action("revoke_grants").hint), *keys)
    account = workspace.account
    notes: list[str] = [_COPY] if copy else []
    if account.token_from == "environment":  # noqa: S105 - a place, not a secret
        notes.append("token from the environment")
    elif account.token_from == "memory":  # noqa: S105 - a place, not a secret
        notes.append("token for this session only")
    if workspace.storage_notice:
        # What it means comes first: the rest is cut where the window is narrow.
        notes.append(f"not saved on disk: {workspace.storage_notice}")
    return StatusFacts(
        activity=activity,
        quiet_since=turn.quiet_since if turn is not None and activity in ("sending", "streaming") else None,
        until=held.until if held is not None else None,
        trying=_trying(held) if held is not None else "",
        since=turn.started if turn is not None and busy and activity in ("sending", "streaming") else None,
        reason=connection.sentence if activity == "offline" else None,
        server_says=turn.status if turn is not None and busy else None,
        tokens=turn.tokens if turn is not None else None,
        waiting=waiting,
        others=others,
        elsewhere=elsewhere,
        queued=len(session.queue) if session is not None else 0,
        **_switch_facts(workspace, session),
        **_allowed_facts(workspace.grants.active),
        **_quota_facts(workspace),
        account=account.label,
        colour=account.colour,
        # The built-in project has no branches.
        branch=branch_words(account) if account.kind == "kai" else "",
        mouse=mouse,
        note=" · ".join(notes) or None,
        keys=keys,
    )


def _held(connection: Connection, session: ChatSession | None) -> Countdown | Pause | None:
    """What is tried again in a moment: the message of the chat on screen first, then what is read."""
    turn = session.turn if session is not None else None
    if turn is not None and turn.busy:
        # Before a message is posted its server may have to be asked something.
        return turn.countdown or (connection.pause if turn.phase == "sending" else None)
    return connection.pause


def _trying(held: Countdown | Pause) -> str:
    from kai_tui.services.turn import Countdown

    if isinstance(held, Countdown) and held.what == "send-again":
        return "sending"
    return f"connecting ({held.number} of {held.of})"


def _switch_facts(workspace: Workspace, session: ChatSession | None) -> dict[str, Any]:
    """The read-only switch, and what it cannot stop."""
    if session is None or not session.read_only_switch:
        return {}
    names = [row.info.name for row in workspace.offers.permissions.unasked]
    return {
        "switched": True,
        "unasked": names[0] if len(names) == 1 else f"{len(names)} tools" if names else "",
    }


def _allowed_facts(grants: Sequence[Grant]) -> dict[str, Any]:
    """What runs without a question, and when the first of it is over."""
    if not grants:
        return {}
    ends = [each.until for each in grants if each.until is not None]
    names = list(dict.fromkeys(each.terms.tool for each in grants))
    left = grants[0].left if len(grants) == 1 else None
    return {
        "allowed": names[0] if len(names) == 1 else f"{len(names)} tools",
        "allowed_calls": "" if left is None else "1 call" if left == 1 else f"{left} calls",
        "allowed_until": min(ends, default=None),
    }


def _quota_facts(workspace: Workspace) -> dict[str, Any]:
    quota = workspace.offers.quota.quota
    if quota is None:
        return {}
    from kai_tui.services.quota_words import quota_count, quota_line

    return {
        "quota": quota_line(quota),
        "quota_short": quota_count(quota).replace(" messages", ""),
        "quota_level": level_of(quota),
    }


def _activity(connection: Connection, session: ChatSession | None) -> Activity:
    phase = session.turn.phase if session is not None else "idle"
    if phase == "waiting-for-approval":
        return "waiting"
    if _held(connection, session) is not None:
        return "holding"
    if phase in ("sending", "streaming"):
        return "sending" if phase == "sending" else "streaming"
    if connection.state == "connecting":
        return "connecting"
    return "offline" if connection.state == "failed" else "idle"


def welcome(workspace: Workspace, session: ChatSession | None = None) -> Content:
    """What an empty chat shows: where one is, and what holds for it."""
    from kai_tui.conversation.safe_text import safe_line, safe_prose

    connection = workspace.connection
    sandbox = workspace.account.kind == "sandbox"
    parts: list[str | tuple[str, str] | Content] = []
    if connection.state == "failed":
        again = f"{key_name(action('switch_account').keys[0])} changes or signs in"
        parts += [
            ("Not connected\n", "bold $text-error"),
            safe_prose(connection.sentence or "The server does not answer."),
            (
                f"\n\n{again} · {key_name(action('open_palette').keys[0])}, then “connect again”",
                "$text-muted",
            ),
        ]
        return Content.assemble(*parts, *terms_lines(workspace, session))
    if sandbox:
        parts += [
            ("The sandbox\n", "bold $text-accent"),
            "A made-up company in a database on this computer. Its assistant follows rules, not a model. "
            "Nothing here reaches a network; every change still asks you first.",
        ]
    elif not is_kai(workspace.account):
        parts += _other_system(workspace, session)
    else:
        parts += [
            (f"{safe_line(workspace.account.label, 80)}\n", "bold $text-accent"),
            "Ask about your data, jobs and flows. Anything that would change your project asks you first.",
        ]
    return Content.assemble(*parts, *terms_lines(workspace, session))


def _other_system(workspace: Workspace, session: ChatSession | None) -> list[str | tuple[str, str] | Content]:
    """Whom one talks to, and what is true of every chat with them."""
    from kai_tui.conversation.safe_text import safe_line, safe_prose

    account, name = workspace.account, assistant_name(workspace.account)
    chat_id = session.chat_id if session is not None else None
    parts: list[str | tuple[str, str] | Content] = [
        (f"{safe_line(account.label, 80)}\n", "bold $text-accent")
    ]
    agents = workspace.agents
    if agents.offered:
        key = key_name(action("choose_agent").keys[0])
        agent = agents.of(chat_id)
        if agent is not None:
            about = clipped(safe_prose(agent.description).strip())
            parts += ["You talk to ", (safe_line(agent.name, 80), "bold"), f".{' ' if about else ''}{about}"]
            parts.append((f"\n{key} changes that", "$text-muted"))
        elif agents.loading or (agents.chosen(chat_id) is None and not agents.rows and not agents.problem):
            parts.append(("Asking who is there…", "$text-muted"))
        elif agents.chosen(chat_id) is None:
            parts.append(f"Nobody is chosen yet: {key} lists whom you can talk to.")
        else:
            parts.append((f"{key} lists whom you can talk to", "$text-muted"))
    else:
        parts.append(f"You talk to {name}.")
    caps = workspace.caps_of(chat_id)
    if caps is not None and caps.history == "local":
        parts.append("\n\nThe server keeps no chats: they are kept on this computer.")
    return parts


LONGEST_ABOUT = 600
"""Characters of an agent's description on the page of an empty chat; the list of agents has all of it."""


def clipped(text: str) -> str:
    """A description of bearable length."""
    return text if len(text) <= LONGEST_ABOUT else f"{text[:LONGEST_ABOUT].rstrip()}…"


def openers(workspace: Workspace) -> list[Opener]:
    """What an empty chat offers to ask: the server's suggestions, else the usual ones. None while offline."""
    from kai_tui.conversation.safe_text import safe_line, safe_prose

    if workspace.connection.state == "failed":
        return []
    found: list[Opener] = []
    for each in workspace.offers.suggestions:
        # Safe, and not only as it is shown: nothing goes out that was not seen.
        prompt = str(safe_prose(each.prompt)).strip()
        if prompt and len(prompt) <= LONGEST_PROMPT:
            found.append(Opener(str(safe_line(each.label, 200)).strip() or prompt, prompt))
    if found:
        return found[:MOST_CHOICES]
    if not is_kai(workspace.account):
        return []
    usual = SANDBOX_TRIES if workspace.account.kind == "sandbox" else PROJECT_TRIES
    return [Opener(each, each) for each in usual]


def offer_words(choice: Choice, width: int) -> Content:
    """What Enter does while the prompt holds nothing but the number of a choice, in `width` cells."""
    from kai_tui.ui.widgets.one_line import clip

    verb, tail = ("Enter sends “", "”") if choice.sendable else ("Enter writes “", "” here")
    more = " · type on to write"
    room = width - len(verb) - len(tail) - len(more)
    if room < 16:
        room, more = room + len(more), ""
    return Content.assemble(
        (verb, "$text-muted"), clip(choice.shown, max(4, room)), (tail, "$text-muted"), (more, "$text-muted")
    )


def banner_line(pending: Sequence[Approval], here: str | None, *, typing: bool) -> Content:
    """A question waits and its dialog is not open; that of the chat `here` is named first, others with their chat."""
    from kai_tui.conversation.safe_text import safe_line

    first = next((each for each in pending if each.chat_id == here), pending[0])
    who = "The assistant" if first.chat_id == here else f"“{safe_line(first.chat_title.strip(), 24)}”"
    more = f" (+{len(pending) - 1})" if len(pending) > 1 else ""
    key = key_name(action("review_waiting").keys[0])
    how = f"opens when you pause, {key} now" if typing else f"{key} to answer"
    return Content.assemble(
        ("! ", "bold $text-warning"),
        (f"{who} asks: {safe_line(first.title, 60)}{more}", "bold"),
        (f" · {how}", "$text-muted"),
    )
