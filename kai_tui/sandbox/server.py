"""The sandbox as a web application: Kai's own API over a `Project` (protocols/kai.md §16)."""

from __future__ import annotations

from collections.abc import Collection

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from kai_tui.sandbox.agent_routes import AgentRoutes
from kai_tui.sandbox.chat_routes import ChatRoutes
from kai_tui.sandbox.chats import ChatStore
from kai_tui.sandbox.desk import CursorRule, Desk
from kai_tui.sandbox.guard import Guard
from kai_tui.sandbox.modes import Role
from kai_tui.sandbox.project import Project
from kai_tui.sandbox.refusals import Flavour, Refusal, no_route
from kai_tui.sandbox.stack_routes import ASSISTANT_PATH as ASSISTANT_PATH
from kai_tui.sandbox.stack_routes import stack_routes


def create_app(
    project: Project,
    *,
    service: Flavour,
    token: str,
    pace: float = 1.0,
    hosts: Collection[str] | None = None,
    cursor_rule: CursorRule = "template",
    keep_alive_seconds: float = 15.0,
    role: Role = "admin",
) -> Starlette:
    """The sandbox over `project`.

    `service`: the flavour at the root; an agent also serves the assistant below ASSISTANT_PATH.
    `token`: what clients must send. `pace`: 1.0 a believable speed, 0 as fast as possible.
    `hosts`: the values of `Host` that are served on a socket; None (in this process) serves any.
    `cursor_rule`: which way the cursors of the history go (kai.md §4.7).
    `role`: what the user may in the project at first (`/demo guest`, `/demo admin` change it).

    `app.state.desk.hang_up()` ends all running streams.
    """
    if pace <= 0:
        project.job_seconds = 0.0
    desk = Desk(project, ChatStore(project), pace, cursor_rule, keep_alive_seconds)
    desk.modes.role = role
    routes = [*stack_routes(project, service), *_kai_routes(desk, service)]
    if service == "agent":
        routes.append(Mount(ASSISTANT_PATH, routes=_kai_routes(desk, "assistant")))

    def flavour_of(path: str) -> Flavour:
        return "assistant" if path.startswith(f"{ASSISTANT_PATH}/") else service

    async def refuse(request: Request, error: Exception) -> Response:
        refusal = error if isinstance(error, Refusal) else no_route()
        return refusal.response(flavour_of(request.scope["path"]))

    app = Starlette(
        routes=routes,
        middleware=[Middleware(Guard, token=token, hosts=hosts, flavour_of=flavour_of)],
        exception_handlers={Refusal: refuse, 404: refuse, 405: refuse},
    )
    app.router.redirect_slashes = False
    app.state.desk = desk
    return app


def _kai_routes(desk: Desk, flavour: Flavour) -> list[BaseRoute]:
    chats = ChatRoutes(desk, flavour)
    routes: list[BaseRoute] = [
        Route("/ping", chats.ping),
        Route("/api", chats.info),
        Route("/api/chat", chats.post_chat, methods=["POST"]),
        Route("/api/chat", chats.delete_chat, methods=["DELETE"]),
        Route("/api/chat/{chat_id}", chats.get_chat),
        Route("/api/history", chats.history),
        Route("/api/vote", chats.votes),
        Route("/api/vote", chats.vote, methods=["PATCH"]),
    ]
    if flavour == "assistant":
        return [*routes, Route("/api/chat/{chat_id}/stream", chats.no_stream)]
    agent = AgentRoutes(desk)
    return [
        *routes,
        Route("/api/chat/{chat_id}/approval", agent.approval, methods=["POST"]),
        Route("/api/usage", agent.usage),
        Route("/api/settings", agent.settings),
        Route("/api/settings", agent.change_settings, methods=["PATCH"]),
        Route("/api/settings/user", agent.user_settings),
        Route("/api/settings/user", agent.change_user_settings, methods=["PATCH"]),
        Route("/api/settings/tools", agent.tools),
        Route("/api/suggestions", agent.suggestions, methods=["POST"]),
    ]
