"""This chat: who can read it, what Kai may do in it, what it is about, and where it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from kai_tui.backends.base import ChatTerms
from kai_tui.services.object_address import ObjectAddress, object_address, object_path
from kai_tui.services.terms import KnownTerms
from kai_tui.ui.modals.base import Ask
from kai_tui.ui.modals.picker import Picker

if TYPE_CHECKING:
    from kai_tui.services.account import Account

_READERS = ("only you", "everybody in the project")
_POWERS = ("ask to change things", "only look: read-only")
_DECIDED = "the first message decided that"


@dataclass(frozen=True, slots=True)
class ChatFacts:
    """What the dialog shows. Texts are raw."""

    title: str
    chat_id: str
    terms: ChatTerms
    known: KnownTerms
    decided: bool
    """Whether the first message was sent: then the terms are only told."""
    visibility: bool = True
    """Whether this Kai knows public chats."""
    read_only: bool = True
    """Whether it knows read-only ones."""
    service: str = ""
    host: str = ""
    about: str | None = None
    takes_about: bool = True


@dataclass(frozen=True, slots=True)
class TermsChoice:
    """What the user chose."""

    terms: ChatTerms
    about: ObjectAddress | None


class ChatTermsDialog(Ask[TermsChoice]):
    """Result: the choice, or None when everything stays as it was."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take_over", show=False),
        Binding("f10,alt+t", "leave", show=False),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]
    DEFAULT_CSS = """
    ChatTermsDialog .dialog { width: 84; scrollbar-size-vertical: 1; }
    ChatTermsDialog #chat-title { text-style: bold; margin: 1 0; height: auto; max-height: 3; }
    ChatTermsDialog .row { height: auto; }
    ChatTermsDialog .row Static { width: 1fr; height: auto; }
    ChatTermsDialog .row .label { width: 15; color: $text-muted; }
    ChatTermsDialog .row.-choice .label { width: 14; }
    ChatTermsDialog #about { border: none; height: 1; padding: 0; background: $panel; width: 1fr; }
    ChatTermsDialog #about:focus { border: none; background: $boost; }
    ChatTermsDialog .hint { color: $text-muted; margin: 0 0 1 15; height: auto; }
    ChatTermsDialog #problem { display: none; margin-top: 1; }
    ChatTermsDialog #problem.-shown { display: block; }
    ChatTermsDialog #answers { height: 1; margin: 1 0; }
    """

    def __init__(self, facts: ChatFacts, account: Account) -> None:
        super().__init__(name="chat-terms")
        self._facts = facts
        self._account = account

    def compose(self) -> ComposeResult:
        from kai_tui.conversation.safe_text import safe_exact

        with VerticalScroll(classes="dialog", can_focus=False) as box:
            box.border_title = Content("This chat")
            box.border_subtitle = Content("Tab next · ← → choose · Enter take over · Esc leave as it was")
            yield Static(safe_exact(self._facts.title, one_line=True).text, id="chat-title", markup=False)
            yield _row("Readable by", *self._readers())
            yield _row("Kai may", *self._powers())
            yield Static(self._hint(), classes="hint", markup=False)
            if self._facts.takes_about:
                yield _row(
                    "About",
                    Input(
                        self._facts.about or "",
                        placeholder="the address of a page in your project",
                        id="about",
                        max_length=2_000,
                    ),
                )
                yield Static(
                    "Paste the address of a table, a flow, a job…: “this table” then means "
                    "that one, until you empty this line.",
                    classes="hint",
                    markup=False,
                )
            for label, text in self._places():
                yield _row(label, Static(text, markup=False))
            yield Static(id="problem", classes="problem", markup=False)
            with Horizontal(id="answers"):
                yield Button("Take over", id="take", variant="primary", compact=True)
                yield Button("Leave as it was", id="leave", compact=True)

    def on_mount(self) -> None:
        first = next(iter([*self.query(Picker), *self.query(Input), *self.query(Button)]))
        first.focus()

    # What is shown

    def _readers(self) -> Iterator[Widget]:
        facts = self._facts
        if facts.decided or not facts.visibility:
            words = {"private": _READERS[0], "public": _READERS[1], None: "not told by the server"}
            yield Static(words[facts.known.visibility], markup=False, id="readers")
        else:
            picker = Picker(_READERS, id="readers")
            picker.index = int(facts.terms.visibility == "public")
            yield picker

    def _powers(self) -> Iterator[Widget]:
        facts = self._facts
        if not facts.read_only:
            yield Static(_POWERS[0], markup=False, id="powers")
        elif facts.decided:
            known = facts.known.read_only
            text = "not known here: the chat was begun elsewhere" if known is None else _POWERS[int(known)]
            yield Static(text, markup=False, id="powers")
        else:
            picker = Picker(_POWERS, id="powers")
            picker.index = int(facts.terms.read_only)
            yield picker

    def _hint(self) -> str:
        facts = self._facts
        reasons: list[str] = []
        if not facts.read_only:
            name = facts.service or "this server"
            reasons.append(f"There are no read-only chats here: {name} would drop the wish without a word.")
        if facts.decided:
            reasons.append(f"Nothing to choose any more: {_DECIDED}, for the whole life of the chat.")
        elif facts.visibility or facts.read_only:
            reasons.append("The first message decides, for the chat's whole life.")
        return " ".join(reasons)

    def _places(self) -> Iterator[tuple[str, Content]]:
        from kai_tui.conversation.safe_text import safe_exact

        def exact(text: str) -> str:
            return safe_exact(text, one_line=True).text

        account, facts = self._account, self._facts
        main = account.branch_id is None
        yield "Project", Content(exact(account.label))
        yield "Branch", Content.styled(exact(account.branch), "" if main else "$text-warning")
        if facts.host:
            yield "Server", Content(exact(f"{facts.host} · {facts.service}"))
        if account.kind == "kai":
            yield "Workspace", Content(exact(account.workspace_id) or "Kai's own")
        yield "Chat", Content(exact(facts.chat_id))

    # What is chosen

    def action_take_over(self) -> None:
        """Let what is chosen hold."""
        about: ObjectAddress | None = None
        if self._facts.takes_about:
            typed = self.query_one("#about", Input).value.strip()
            if typed:
                about = object_address(typed, self._account) or object_path(typed, self._account)
                if about is None:
                    self._say(
                        "This is no page of a Keboola project. Its address begins with https:// and "
                        "has /admin/projects/ in it."
                    )
                    return
                if about.path is None:
                    self._say(about.why_not.removesuffix(" It stays text."))
                    return
        self.finish(TermsChoice(self._terms(), about))

    def _terms(self) -> ChatTerms:
        chosen = {picker.id: picker.index for picker in self.query(Picker)}
        terms = self._facts.terms
        visibility = terms.visibility
        if "readers" in chosen:
            visibility = "public" if chosen["readers"] else "private"
        return ChatTerms(visibility, bool(chosen.get("powers", terms.read_only)))

    def _say(self, sentence: str) -> None:
        from kai_tui.conversation.safe_text import safe_prose

        problem = self.query_one("#problem", Static)
        problem.update(Content(safe_prose(sentence)))
        problem.add_class("-shown")
        self.query_one("#about").focus()
        problem.scroll_visible(animate=False)

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self.action_take_over()

    def on_button_pressed(self, message: Button.Pressed) -> None:
        message.stop()
        if message.button.id == "take":
            self.action_take_over()
        else:
            self.action_leave()


def _row(label: str, *widgets: Widget) -> Horizontal:
    row = Horizontal(Static(label, classes="label", markup=False), *widgets, classes="row")
    # A choice has a cell of its own before its first mark.
    row.set_class(any(isinstance(each, Picker) for each in widgets), "-choice")
    return row
