"""t_lint: rules for our sources that no linter knows (reliability.md §9, T9, T13, T17).

Each rule is a function from a module's tree to complaints. Keep them simple: they find slips, not malice.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[1] / "kai_tui"
POSIX_ONLY = {"termios", "fcntl", "pwd", "grp", "resource", "pty", "tty"}
POSIX_MODULE = SOURCES / "ui" / "terminal" / "posix.py"
LITERAL_WIDGETS = {
    "Static",
    "Label",
    "Button",
    "OptionList",
    "SelectionList",
    "Option",
    "Checkbox",
    "RadioButton",
}
"""Widgets whose first argument Textual reads as markup."""
SAFE_MAKERS = {
    "Content",
    "Text",
    "assemble",
    "styled",
    "from_markup",
    "from_text",
    "Blank",
}
MARKUP_TITLES = {"border_title", "border_subtitle", "tooltip"}

Rule = Callable[[ast.Module], Iterator[tuple[int, str]]]


@lru_cache(maxsize=1)
def _nodes(tree: ast.Module) -> list[ast.AST]:
    """A module's nodes, walked once for all rules."""
    return list(ast.walk(tree))


def _name(node: ast.expr) -> str:
    """The last name of what is called: `Static`, `self.app.notify` → `notify`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _calls(tree: ast.Module) -> Iterator[ast.Call]:
    return (node for node in _nodes(tree) if isinstance(node, ast.Call))


def _is_literal(node: ast.expr) -> bool:
    """Text that stands in our source, also chosen from two or joined."""
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.IfExp):
        return _is_literal(node.body) and _is_literal(node.orelse)
    if isinstance(node, ast.BinOp):
        return _is_literal(node.left) and _is_literal(node.right)
    return isinstance(node, ast.Name) and node.id.isupper()


def _is_content(node: ast.expr, names: frozenset[str] = frozenset()) -> bool:
    """Whether an expression makes Content. `names` are the module's names for it."""
    if isinstance(node, ast.Name):
        return node.id in names
    if isinstance(node, ast.Call):
        function = node.func
        if _name(function) == "join" and isinstance(function, ast.Attribute):
            return _is_content(function.value, names)
        return _name(function) in SAFE_MAKERS or _name(function).endswith("content")
    return False


def _is_fine(node: ast.expr, names: frozenset[str]) -> bool:
    """Text of ours or Content, also chosen from two."""
    if isinstance(node, ast.IfExp):
        return _is_fine(node.body, names) and _is_fine(node.orelse, names)
    return _is_literal(node) or _is_content(node, names)


def _content_names(tree: ast.Module) -> frozenset[str]:
    """Names that hold Content wherever the module sets them."""
    holds: dict[str, bool] = {}
    for node in _nodes(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    holds[target.id] = holds.get(target.id, True) and _is_content(node.value)
        elif isinstance(node, ast.arg):
            annotation = node.annotation
            holds[node.arg] = holds.get(node.arg, True) and (
                isinstance(annotation, ast.Name) and annotation.id == "Content"
            )
    return frozenset(name for name, content in holds.items() if content)


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((each.value for each in call.keywords if each.arg == name), None)


def _is_constant(node: ast.expr | None, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def foreign_text_is_no_markup(tree: ast.Module) -> Iterator[tuple[int, str]]:
    names = _content_names(tree)
    for call in _calls(tree):
        name = _name(call.func)
        if name not in LITERAL_WIDGETS or _is_constant(_keyword(call, "markup"), False):
            continue
        for text in call.args[:1]:
            if not _is_fine(text, names):
                yield call.lineno, f"{name}(…) reads markup: give it Content(…) or markup=False"


def markup_is_never_switched_on(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for call in _calls(tree):
        if _is_constant(_keyword(call, "markup"), True):
            yield call.lineno, "markup=True"


def titles_are_content(tree: ast.Module) -> Iterator[tuple[int, str]]:
    names = _content_names(tree)
    for node in _nodes(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                named = isinstance(target, ast.Attribute) and target.attr in MARKUP_TITLES
                if named and not _is_fine(node.value, names):
                    yield node.lineno, "titles and tooltips read markup: give them Content(…)"


def markup_templates_are_literal(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for call in _calls(tree):
        if _name(call.func) == "from_markup" and call.args and not _is_literal(call.args[0]):
            yield call.lineno, "from_markup with a text that is no literal: pass it as $variable"


def streams_are_not_read_by_lines(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for call in _calls(tree):
        if _name(call.func) in ("aiter_lines", "iter_lines"):
            yield call.lineno, "httpx splits at U+2028 too: a forged event (reliability.md §6)"


def redirects_are_not_followed(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for call in _calls(tree):
        value = _keyword(call, "follow_redirects")
        if value is not None and not _is_constant(value, False):
            yield call.lineno, "follow_redirects takes the token to another host (N3)"


def no_shell(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for call in _calls(tree):
        value = _keyword(call, "shell")
        if value is not None and not _is_constant(value, False):
            yield call.lineno, "shell=…"
        function = call.func
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
            if (function.value.id, function.attr) in (("os", "system"), ("os", "popen")):
                yield call.lineno, f"os.{function.attr}"
            if (function.value.id, function.attr) == ("tempfile", "mktemp"):
                yield call.lineno, "tempfile.mktemp"


def markdown_widgets_open_no_links(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for call in _calls(tree):
        if _name(call.func) in ("Markdown", "MarkdownViewer") and not _is_constant(
            _keyword(call, "open_links"), False
        ):
            yield call.lineno, "open_links=False is missing (T10)"


def certificates_are_checked(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for call in _calls(tree):
        if _is_constant(_keyword(call, "verify"), False):
            yield call.lineno, "verify=False"


def _imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in _nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.lineno, (node.module or "").partition(".")[0]


def nothing_posix_only(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for line, module in _imported(tree):
        if module in POSIX_ONLY:
            yield line, f"import {module}: only ui/terminal/posix.py may"


RULES: list[Rule] = [
    foreign_text_is_no_markup,
    markup_is_never_switched_on,
    titles_are_content,
    markup_templates_are_literal,
    streams_are_not_read_by_lines,
    redirects_are_not_followed,
    no_shell,
    markdown_widgets_open_no_links,
    certificates_are_checked,
    nothing_posix_only,
]

SLIPS: dict[str, list[str]] = {
    "foreign_text_is_no_markup": [
        "Static(title)",
        "Label(f'{x}')",
        "Option('a' + name)",
        "Button(message.text)",
    ],
    "markup_is_never_switched_on": ["self.notify(text, markup=True)"],
    "titles_are_content": ["self.border_title = chat.title", "self.tooltip = f'{x}'"],
    "markup_templates_are_literal": ["Content.from_markup(f'[b]{name}[/b]')"],
    "streams_are_not_read_by_lines": ["response.aiter_lines()"],
    "redirects_are_not_followed": ["httpx.AsyncClient(follow_redirects=True)", "f(follow_redirects=yes)"],
    "no_shell": ["subprocess.run(x, shell=True)", "os.system('x')"],
    "markdown_widgets_open_no_links": ["Markdown(text)", "Markdown(text, open_links=True)"],
    "certificates_are_checked": ["httpx.AsyncClient(verify=False)"],
    "nothing_posix_only": ["import termios", "from fcntl import ioctl"],
}
FINE: dict[str, list[str]] = {
    "foreign_text_is_no_markup": [
        "Static('words')",
        "Static(Content(title))",
        "Label(name, markup=False)",
        "Static(id='x')",
        "Static(Content.assemble(a, b))",
        "Static(Content('\\n').join(lines))",
        "shown = Content(x)\nOption(shown)",
        "Button('Yes' if yes else 'No')",
    ],
    "titles_are_content": [
        "self.border_title = Content(title)",
        "self.border_title = 'Chats'",
        "self.tooltip = None",
    ],
    "markup_templates_are_literal": ["Content.from_markup('[b]$name[/b]', name=name)"],
    "redirects_are_not_followed": ["httpx.AsyncClient(follow_redirects=False)"],
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_rule_finds_what_it_is_for(rule: Rule) -> None:
    for slip in SLIPS[rule.__name__]:
        assert list(rule(ast.parse(slip))), slip
    for fine in FINE.get(rule.__name__, []):
        assert not list(rule(ast.parse(fine))), fine


def test_sources() -> None:
    complaints: list[str] = []
    for path in sorted(SOURCES.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for rule in RULES:
            if rule is nothing_posix_only and path == POSIX_MODULE:
                continue
            place = path.relative_to(SOURCES.parent)
            complaints += [f"{place}:{line}: {what} ({rule.__name__})" for line, what in rule(tree)]
    assert not complaints, "\n".join(complaints)
