"""A stack names the address its token goes to. The first one is kept; another one needs a yes (N8)."""

from __future__ import annotations

import asyncio

from kai_tui.backends.addresses import parse_origin
from kai_tui.backends.base import BackendError
from kai_tui.storage.errors import StorageError
from kai_tui.storage.paths import Paths
from kai_tui.storage.service_addresses import first_address, forget_addresses, keep_address

_ASKED_ABOUT = ("kai-agent", "kai-assistant")
"""Signing in asks about these; a yes to any other one is to sign in again."""


class AddressChanged(BackendError):
    """The stack names another address than before. `address` is what a yes would be for."""

    delivery = "not-sent"

    def __init__(self, stack: str, service: str, before: str, address: str) -> None:
        yes = "" if service in _ASKED_ABOUT else " If you expected that, add the account once more to use it."
        super().__init__(
            f"{stack} now names {parse_origin(address).shown} as the address of {service}. Until now it was "
            f"{parse_origin(before).shown}. Your token was not sent to the new address.{yes}",
            code="discovery:changed",
        )
        self.address = address


class AddressPins:
    """The addresses that are kept."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths

    async def check(self, stack: str, service: str, address: str, *, accepted: str = "") -> None:
        """Before a token goes to a discovered address. Raises AddressChanged.

        `accepted`: the address the user said yes to. A stack on this machine may move at will.
        """
        if parse_origin(stack).loopback:
            return
        before = await asyncio.to_thread(first_address, self._paths, stack, service)
        if before and parse_origin(before) == parse_origin(address):
            return
        if before and accepted != address:
            raise AddressChanged(parse_origin(stack).shown, service, before, address)
        try:
            await asyncio.to_thread(keep_address, self._paths, stack, service, address)
        except StorageError:
            pass  # a home that cannot be written in: told elsewhere, and no reason to keep anybody out

    async def forget_others(self, stack: str) -> None:
        """The user signs in at this stack anew: what it names now counts, but for Kai itself. Never raises."""
        try:
            await asyncio.to_thread(forget_addresses, self._paths, stack, _ASKED_ABOUT)
        except StorageError:
            pass
