"""A system as small as can be, with one field of each kind: for the dialog that guides through an interview."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from kai_tui.backends.base import Backend, BackendError, CannotConnect, TokenRefused
from kai_tui.backends.secret import Secret
from kai_tui.backends.system import Choice, Field, Guide, Memory, NewAccount, System
from tests.services.scripted_backend import ScriptedBackend

SECRET = "sk-canaryCanaryCanary-4711"
ADDRESS = "https://fake.test"


@dataclass
class FakeSystem:
    """What its server does, and what it was asked."""

    address_errors: list[BackendError] = field(default_factory=list)
    secret_errors: list[BackendError] = field(default_factory=list)
    late_errors: list[BackendError] = field(default_factory=list)
    """After the last question of the interview."""
    agents: int = 3
    gate: asyncio.Event | None = None
    """Checks of the address wait for it."""
    checked: list[str] = field(default_factory=list)
    runs: int = 0
    kind: str = "fake"
    title: str = "Fake"
    secrets: list[str] = field(default_factory=list)
    label: str = "fake.test"
    first_is_secret: bool = False

    def system(self) -> System:
        return System(
            self.kind, self.title, "A made-up system. Needs a key.", self.interview, self.identity, self.open
        )

    def identity(self, settings: Mapping[str, str]) -> tuple[str, ...]:
        return (settings["address"],)

    async def interview(
        self, guide: Guide, settings: Mapping[str, str], secret: Secret | None = None
    ) -> NewAccount:
        self.runs += 1
        address = settings.get("address", "")
        if not self.first_is_secret:
            address = await guide.ask_until(
                Field("address", "Address", example=ADDRESS, default=address),
                "asking the server",
                self._address,
            )
        key = await guide.ask_until(
            Field(
                "key",
                "API key",
                "secret",
                help="Empty keeps the one there is."
                if secret
                else "You find it in the settings of the server.",
                required=secret is None,
            ),
            "trying the key",
            lambda typed: self._key(typed or (secret.reveal() if secret else "")),
        )
        guide.tell("signed in as Ada")
        found = await guide.check("looking for agents", self._agents)
        guide.tell(f"{len(found)} agents")
        agent = await guide.ask(
            Field("agent", "Agent", "choice", default=settings.get("agent", "agent-1"), choices=found)
        )
        verbose = await guide.ask(
            Field("verbose", "Show its thoughts", "switch", default=settings.get("verbose", "no"))
        )
        if verbose == "yes":
            await guide.ask(Field("depth", "How deep", default="2"))
        prompt = await guide.ask(
            Field("prompt", "Instructions", "lines", default=settings.get("prompt", ""), required=False)
        )
        if self.late_errors:
            raise self.late_errors.pop(0)
        kept = {"address": address, "agent": agent, "verbose": verbose, "prompt": prompt}
        return NewAccount(self.label, address, kept, Secret(key))

    async def _address(self, address: str) -> str:
        self.checked.append(address)
        if self.gate is not None:
            await self.gate.wait()
        if self.address_errors:
            raise self.address_errors.pop(0)
        return address if "://" in address else f"https://{address}"

    async def _key(self, key: str) -> str:
        self.secrets.append(key)
        if self.secret_errors:
            raise self.secret_errors.pop(0)
        return key

    async def _agents(self) -> tuple[Choice, ...]:
        self.checked.append("agents")
        return tuple(Choice(f"agent-{n}", f"Agent {n}", f"does thing {n}") for n in range(1, self.agents + 1))

    async def open(self, settings: Mapping[str, str], secret: Secret | None, memory: Memory) -> Backend:
        return ScriptedBackend()


def no_server() -> CannotConnect:
    return CannotConnect("fake.test does not answer. Check the address.")


def wrong_key() -> TokenRefused:
    return TokenRefused("fake.test does not take this key. Make another one.")
