"""Whose a credential is (knowrithm.md §2)."""

from __future__ import annotations

from typing import Any, Final

from kai_tui.backends.base import NotAllowed, NotFound, Refused, TokenRefused, UnexpectedAnswer
from kai_tui.backends.knowrithm.access import KnowrithmAccess
from kai_tui.backends.knowrithm.wire import objects
from kai_tui.conversation.events import JsonObject

_PLACES: Final = ("user", "company", "api_key_info")


async def whose(access: KnowrithmAccess) -> JsonObject:
    """GET /auth/validate, else /auth/user/me: user, company and key, as they came.

    Raises TokenRefused when the server says that the credential is not valid (any more).
    """
    try:
        body: Any = (await access.request("GET", "/v1/auth/validate")).json()
    except (NotFound, NotAllowed, Refused, UnexpectedAnswer) as error:
        if isinstance(error, NotAllowed) and error.code == "locked":
            raise
        body = (await access.request("GET", "/v1/auth/user/me")).json()
    found: JsonObject = {}
    for fields in objects(body):
        if fields.get("valid") is False:
            error = TokenRefused(f"{access.host} says that this key is not valid.", status=401)
            if access.on_refused is not None:
                access.on_refused(error)
            raise error
        found.update({name: fields[name] for name in _PLACES if fields.get(name) is not None})
    return found
