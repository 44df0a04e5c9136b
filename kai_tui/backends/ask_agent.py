"""The question of an interview whom new chats are with. Light, as `system.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from kai_tui.backends.system import Choice, Field

if TYPE_CHECKING:
    from kai_tui.backends.agents import Agent
    from kai_tui.backends.system import Guide

AGENT: Final = "agent"
"""Name of the field, and under which its answer is among the settings."""
LAST_USED: Final = "-"
"""As an answer: the one used last."""


async def ask_agent(guide: Guide, agents: Sequence[Agent] | None, default: str, *, where: str) -> str:
    """The agent new chats are with, or `LAST_USED`. `agents`: None when they could not be listed; `where`
    one makes them. Nothing is asked where there is no choice.
    """
    if agents is None:
        guide.tell("The agents cannot be listed with this sign-in.")
        return default
    if not agents:
        guide.tell(f"There is no agent yet. Make one in {where}: a chat needs one.")
        return LAST_USED
    if len(agents) == 1:
        guide.tell(f"Chats are with {agents[0].name}, the only agent.")
        return LAST_USED
    notes = [" · ".join(filter(None, (each.note, each.description))) for each in agents]
    return await guide.ask(
        Field(
            AGENT,
            "Agent of new chats",
            kind="choice",
            help="Every chat is with an agent. Another one can be chosen before a chat begins.",
            default=default if default in {each.id for each in agents} else LAST_USED,
            choices=(
                Choice(LAST_USED, "the one used last"),
                *(Choice(each.id, each.name, note) for each, note in zip(agents, notes, strict=True)),
            ),
        )
    )
