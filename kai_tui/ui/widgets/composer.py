"""The prompt: several lines, sends on Enter, keeps the order of keys however fast they come."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from textual import events
from textual.actions import SkipAction
from textual.content import Content
from textual.document._document import EditResult
from textual.geometry import Size
from textual.message import Message
from textual.widgets import TextArea

from kai_tui.ui.widgets.choice_keys import ChoiceMade
from kai_tui.ui.widgets.draft import LONG_LINE, Draft, is_big, label, plain
from kai_tui.ui.widgets.kept_styles import KeptStyles
from kai_tui.ui.widgets.ordered_keys import act, editing_actions, typed_text
from kai_tui.ui.widgets.prompt_text import PromptText
from kai_tui.ui.widgets.recall import Recall

PLACEHOLDER = "ask, / for commands…"
MOST_ROWS = 12
"""The prompt grows to this many rows, or to 40 % of the screen when that is less."""
_CONTEXT_LINES = 5
"""Line ends of a context that is shown as it is, above the question; a longer one is a chip."""

REPEAT_SECONDS = 0.6
"""A Backspace that follows another one this soon may be a held key."""

NEW_LINE_KEYS = frozenset(
    {"ctrl+j", "shift+enter", "alt+enter", "ctrl+enter", "shift+\r", "ctrl+shift+enter"}
)
"""ctrl+j comes through on every terminal; the others where they are told apart from Enter."""

_SCROLL_KEYS = ("pageup", "pagedown")
"""These scroll the conversation, not a prompt of a few rows."""

_ACTIONS: Mapping[str, str] = {
    **{key: action for key, action in editing_actions(TextArea.BINDINGS).items() if key not in _SCROLL_KEYS},
    # What macOS terminals send for option+arrow, and readline's own keys.
    "alt+b": "cursor_word_left",
    "alt+left": "cursor_word_left",
    "alt+f": "cursor_word_right",
    "alt+right": "cursor_word_right",
    "alt+d": "delete_word_right",
    "shift+backspace": "delete_left",
}


class FromComposer(Message):
    """What the prompt tells."""

    def __init__(self, composer: Composer) -> None:
        super().__init__()
        self.composer = composer

    @property
    def control(self) -> Composer:
        return self.composer


class Composer(KeptStyles, PromptText):
    """Where the user writes. Enter sends, ctrl+j (or a backslash before Enter) makes a new line.

    All editing keys act inside this widget's own key handler: see `ordered_keys`.
    """

    DEFAULT_CSS = """
    Composer {
        height: auto;
        min-height: 3;
        border: round $border-blurred;
        background: $background;
        padding: 0 1;
        scrollbar-size-vertical: 0;
        &:focus { border: round $border; }
        &.-unavailable { border: round $border-blurred; color: $text-muted; }
        & .text-area--placeholder { color: $text-muted; }
        & .composer--chip { background: $primary-muted; color: $text-primary; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"composer--chip"}

    class Submitted(FromComposer):
        """The user sends `text`; the composer is empty already."""

        def __init__(self, composer: Composer, text: str) -> None:
            super().__init__(composer)
            self.text = text
            """Every chip replaced by what it stands for. Never blank."""

    class EnteredEmpty(FromComposer):
        """Enter was pressed although nothing stands in the prompt."""

    class Pasted(FromComposer):
        """Something was pasted into the prompt; for a warning when it looks like a token."""

        def __init__(self, composer: Composer, text: str) -> None:
            super().__init__(composer)
            self.text = text

    class NothingToDelete(FromComposer):
        """Backspace on an empty prompt, pressed on purpose: not the end of a held key."""

    class EditorWanted(FromComposer):
        """Ctrl+X Ctrl+E: the user wants to write in an editor."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(
            id=id,
            classes=classes,
            highlight_cursor_line=False,
            placeholder=Content(PLACEHOLDER),
        )
        # A blinking cursor repaints twice a second for ever, also over ssh.
        self.cursor_blink = False
        self._recall = Recall()
        self.claims: Callable[[str], bool] | None = None
        """Asked about what is pasted into the empty prompt: True when it belongs elsewhere."""
        self._backspaced = float("-inf")
        self._chord_begun = False
        self.gate: Callable[[str], bool] | None = None
        """Asked before a text is sent; when it says False the text stays."""
        self.summon: Callable[[], object] | None = None
        """Brings the helper when it is wanted before it was loaded: keys typed ahead mean the same then."""
        self.commands: Callable[[str], bool] | None = None
        """Asked first of all what is entered: True when it was no message."""

    # What stands in it

    def load(self, text: str) -> None:
        """Replace the prompt; the cursor goes to its end. A big text becomes a chip."""
        self._recall.stop()
        self._show(Draft.of(text))

    def clear(self) -> EditResult:
        """Empty the prompt. Undo brings it back."""
        self._recall.stop()
        return super().clear()

    def take_out(self) -> str:
        """Empty the prompt as if it were sent, and remember what stood there for ↑."""
        draft = self.draft.used()
        self._recall.remember(draft)
        self._show(Draft())
        return draft.text

    def _show(self, draft: Draft, *, first_row: bool = False) -> None:
        if self.helper is not None:
            self.helper.left()
        self._chips = draft.chips
        self._let_go()
        self.load_text(draft.shown)
        end = self.document.end
        self.move_cursor(self.navigator.get_location_end((0, 0)) if first_row else end)

    # Earlier prompts

    def set_history(self, prompts: Sequence[str]) -> None:
        """Earlier prompts for ↑, the oldest first."""
        self._recall.set_prompts(prompts)

    @property
    def earlier(self) -> Sequence[Draft]:
        """Earlier prompts, the oldest first."""
        return self._recall.prompts

    def remember(self, text: str) -> None:
        """Add a prompt as the newest of the earlier ones. What is sent from here is remembered anyway."""
        self._recall.remember(Draft.of(text))

    def action_cursor_up(self, select: bool = False) -> None:
        """Up one row; on the first row to the prompt before this one."""
        if not select and self.navigator.is_first_wrapped_line(self.cursor_location):
            older = self._recall.older(self.draft.used())
            if older is not None:
                self.put(older, first_row=True)
                return
        super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        """Down one row; on the last row to the prompt after this one, at last to the draft."""
        if not select and self.navigator.is_last_wrapped_line(self.cursor_location):
            newer = self._recall.newer(self.draft.used())
            if newer is not None:
                self.put(newer)
                return
        super().action_cursor_down(select)

    # Keys

    async def _on_key(self, event: events.Key) -> None:
        if self.read_only:
            return
        if self.helper is not None and self.helper.takes(event):
            event.stop()
            event.prevent_default()
            return
        if self._chord(event.key):
            event.stop()
            event.prevent_default()
            return
        text = typed_text(event)
        if event.key == "backspace" and self.text:
            self._backspaced = event.time
        if text is not None:
            first = not self.text
            if self.helper is None and self.summon is not None and text in "/@":
                self.summon()
            self._type(text)
            if first:
                self._typed_alone(text)
        elif event.key in NEW_LINE_KEYS:
            self._type("\n")
        elif event.key == "backspace" and not self.text:
            self._backspace_on_nothing(event)
        elif event.key == "enter":
            self._enter()
        elif event.key in _ACTIONS:
            if not await act(self, _ACTIONS[event.key]):
                return
        else:
            event.prevent_default()  # The base would type the letter of a chord.
            return
        event.stop()
        event.prevent_default()
        if self.helper is not None:
            self.helper.edited()

    def _chord(self, key: str) -> bool:
        """Whether a key is part of Ctrl+X Ctrl+E. With something selected Ctrl+X cuts, as everywhere."""
        begun, self._chord_begun = self._chord_begun, False
        if begun:
            self.border_subtitle = None
            if key == "ctrl+e":
                self.post_message(self.EditorWanted(self))
                return True
        if key == "ctrl+x" and self.selection.is_empty:
            self._chord_begun = True
            self.border_subtitle = Content("Ctrl+E: write it in your editor")
            return True
        return False

    def take(self, event: events.Key | events.Paste) -> None:
        """Handle an input event as if it had come with the focus here (type-ahead)."""
        self._forward_event(event)

    @classmethod
    def wants(cls, event: events.Key | events.Paste) -> bool:
        """Whether an input event would edit or send, were the focus here."""
        return (
            isinstance(event, events.Paste)
            or typed_text(event) is not None
            or event.key == "enter"
            or event.key in NEW_LINE_KEYS
            or event.key in _ACTIONS
        )

    def _backspace_on_nothing(self, event: events.Key) -> None:
        if event.time - self._backspaced > REPEAT_SECONDS:
            self.post_message(self.NothingToDelete(self))
        self._backspaced = event.time

    def _type(self, text: str) -> None:
        self._replace_via_keyboard(text, *self.selection)

    def _enter(self) -> None:
        row, column = self.cursor_location
        if self.selection.is_empty and column > 0 and self.document[row][column - 1] == "\\":
            self._replace_via_keyboard("\n", (row, column - 1), (row, column))
        else:
            self.submit()

    def submit(self) -> None:
        """Send what stands here, unless it is blank."""
        if self._aside is not None:
            return
        offered = self.offered
        if offered is not None and not self.read_only:
            self._show(Draft())
            self.post_message(ChoiceMade(offered))
            return
        draft = self.draft.used()
        text = draft.text
        if text and not self.read_only and self.commands is not None and self.commands(text):
            return
        if not text and not self.read_only:
            self.post_message(self.EnteredEmpty(self))
        if not text.strip() or self.read_only or (self.gate is not None and not self.gate(text)):
            return
        self._recall.remember(draft)
        self._show(Draft())
        self.post_message(self.Submitted(self, text))

    def action_undo(self) -> None:
        """One step back; the place among earlier prompts is left."""
        self._recall.stop()
        super().action_undo()

    def action_redo(self) -> None:
        """One step forward again."""
        self._recall.stop()
        super().action_redo()

    def action_cursor_page_up(self) -> None:
        """Left to the conversation."""
        raise SkipAction

    def action_cursor_page_down(self) -> None:
        """Left to the conversation."""
        raise SkipAction

    # Pastes

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        if not self.read_only and (self.helper is None or not self.helper.takes(event)):
            self.insert_pasted(event.text)

    def action_paste(self) -> None:
        """Paste what was last copied in this program."""
        if not self.read_only:
            self.insert_pasted(self.app.clipboard)  # pyright: ignore[reportUnknownMemberType] Textual leaves App's parameter open

    def insert_pasted(self, text: str) -> None:
        """Insert at the cursor; a big text as a chip. Never sends."""
        text = plain(text)
        if not text or (not self.text and self.claims is not None and self.claims(text)):
            return
        shown = text
        row, _ = self.cursor_location
        if is_big(text) or len(self.document[row]) + len(text.partition("\n")[0]) > LONG_LINE:
            shown = label(text, self._chips)
            self._chips = {**self._chips, shown: text}
        self._type(shown)
        if self.helper is not None:
            self.helper.edited()
        self.post_message(self.Pasted(self, text))

    def put_context(self, heading: str, body: str) -> None:
        """Put something in front of what is written, to ask about; all but a few lines of it as a chip. Never sends."""
        body = plain(body)
        if body.count("\n") > _CONTEXT_LINES or is_big(body):
            name = label(body, self._chips)
            self._chips = {**self._chips, name: body}
            body = name
        self.insert(f"{plain(heading)}\n{body}\n", (0, 0))
        self.move_cursor(self.document.end)
        if self.helper is not None:
            self.helper.edited()

    # Who helps while something is typed

    async def _on_mouse_down(self, event: events.MouseDown) -> None:
        await super()._on_mouse_down(event)
        if self.helper is not None:
            self.helper.edited()

    def on_blur(self) -> None:
        if self.helper is not None:
            self.helper.left()

    def on_resize(self) -> None:
        if self.helper is not None:
            self.helper.moved()

    # Looks

    def set_unavailable(self, why: str | None) -> None:
        """Take no keys and say `why` instead of the placeholder; None makes it available again."""
        self.read_only = why is not None
        self.set_class(why is not None, "-unavailable")
        self.placeholder = Content(PLACEHOLDER if why is None else why)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Rows of text, at most `MOST_ROWS` and 40 % of the screen."""
        rows = super().get_content_height(container, viewport, width)
        return max(1, min(rows, MOST_ROWS, viewport.height * 2 // 5 - 2))
