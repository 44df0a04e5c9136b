"""`@` in the prompt: names of the project and of the chats that were seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from kai_tui.ui.screens.chat_commands import ChatCommands

if TYPE_CHECKING:
    from kai_tui.conversation.project_objects import ProjectObject
    from kai_tui.services.chat_session import ChatSession
    from kai_tui.ui.completion.objects import Searched


class ChatMentions(ChatCommands):
    """Completes what the project has; asks for the list the first time an `@` is typed."""

    _mentions: Searched | None = None
    _mentions_of: tuple[object, object] = (None, None)
    """What the list was made of."""
    _seen: tuple[tuple[object, ...], Sequence[ProjectObject]] = ((), ())
    _objects_heard = False

    def _finders(self) -> Sequence[Callable[[], Any]]:
        return (*super()._finders(), self._find_objects)

    def _find_objects(self) -> object:
        composer = self._composer
        row, column = composer.cursor_location
        if "@" not in composer.document[row][:column]:
            return None
        from kai_tui.ui.completion.objects import ObjectOffer, mention

        if mention(composer.document[row][:column]) is None:
            return None
        objects = self.workspace.objects
        if not self._objects_heard:
            self._objects_heard = True
            objects.observe(self._objects_came)
        objects.want()
        offer = ObjectOffer(composer, self._searched, self._mention_title)
        return offer if offer.follow() else None

    def _objects_came(self, _: None) -> None:
        self.call_later(self._more_objects)

    def _more_objects(self) -> None:
        if self._completion is not None and self.focused is self._composer:
            self._completion.refill()

    def _searched(self) -> Searched:
        """Made anew only when there is another list, or another call of the chat ended."""
        from kai_tui.conversation.project_objects import joined
        from kai_tui.ui.completion.objects import Searched

        seen, listed = self._seen_here(), self.workspace.objects.rows
        if self._mentions is None or self._mentions_of[0] is not seen or self._mentions_of[1] is not listed:
            self._mentions = Searched.of(joined(seen, listed))
            self._mentions_of = (seen, listed)
        return self._mentions

    def _seen_here(self) -> Sequence[ProjectObject]:
        """What tools showed in the chat on screen, and behind it in the others of this run."""
        from kai_tui.conversation.project_objects import joined, seen_objects

        sessions = list(self.workspace.chats.sessions.values())
        sessions.sort(key=lambda each: each is not self._session)
        mark = tuple(_mark(each) for each in sessions)
        if self._seen[0] != mark:
            self._seen = (mark, joined(*(seen_objects(each.messages) for each in sessions)))
        return self._seen[1]

    def _mention_title(self) -> str:
        age = self.workspace.objects.age
        if age is None:
            return "seen in the chats"
        minutes = int(age // 60)
        when = (
            "just now" if minutes < 1 else f"{minutes} min ago" if minutes < 120 else f"{minutes // 60} h ago"
        )
        return f"the project, read {when}"


def _mark(session: ChatSession) -> tuple[object, ...]:
    messages = session.messages
    return (session.chat_id, len(messages), len(messages[-1].parts) if messages else 0, session.turn.busy)
