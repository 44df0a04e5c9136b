"""The command `kai-tui`: reads the command line, then starts what was asked for.

Imports as little as possible at the top: `--version` and the first paint must be quick.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from kai_tui import __version__

if TYPE_CHECKING:
    from kai_tui.services.account_service import Account, AccountService
    from kai_tui.ui.launch import LaunchOptions

NOT_A_TERMINAL = 2
BRANCH_VARIABLE = "KAI_BRANCH_ID"


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command and leave with its exit code."""
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv: Sequence[str]) -> int:
    """Run the command; returns its exit code."""
    arguments = _parser().parse_args(argv)
    if arguments.env_file is not None and not _load_env_file(arguments.env_file):
        return 2
    if arguments.command == "sandbox":
        from kai_tui.cli.sandbox import run_sandbox

        return run_sandbox(arguments)
    if arguments.command == "ledger":
        from kai_tui.cli.ledger import run_ledger

        return run_ledger(arguments)
    return _run_tui(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kai-tui",
        description="A terminal chat for AI assistants that can change things: "
        "watch the answer stream in, approve or deny every write.",
        epilog="A token is never taken from the command line: sign in inside the program, "
        "or set STORAGE_API_TOKEN and STORAGE_API_URL.",
    )
    parser.add_argument("--version", action="version", version=f"kai-tui {__version__}")
    parser.add_argument("--sandbox", action="store_true", help="open the built-in sandbox at once")
    parser.add_argument("--account", metavar="NAME", help="open the account of this name")
    parser.add_argument(
        "--base-url",
        metavar="URL",
        help="talk to Kai at this address (token from STORAGE_API_TOKEN, stack from STORAGE_API_URL)",
    )
    parser.add_argument("--env-file", metavar="PATH", help="read environment variables from this file")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Command)
    commands.add_parser(
        "sandbox",
        help="the built-in assistant as a server for other programs",
        description="The built-in assistant: a made-up company, rules instead of a model, no network.",
    ).arguments = _sandbox_arguments
    commands.add_parser(
        "ledger",
        help="verify or export what was decided here",
        description="The ledger of decisions: what was approved or denied, by whom, and what came of it.",
    ).arguments = _ledger_arguments
    return parser


class _Command(argparse.ArgumentParser):
    """A command that gets its arguments when it is used: the chat starts without them."""

    arguments: Callable[[argparse.ArgumentParser], None] | None = None

    def parse_known_args(self, *args: Any, **more: Any) -> Any:
        add, self.arguments = self.arguments, None
        if add is not None:
            add(self)
        return super().parse_known_args(*args, **more)


def _sandbox_arguments(command: argparse.ArgumentParser) -> None:
    from kai_tui.cli.sandbox import add_sandbox_arguments

    add_sandbox_arguments(command)


def _ledger_arguments(command: argparse.ArgumentParser) -> None:
    from kai_tui.cli.ledger import add_ledger_arguments

    add_ledger_arguments(command)


def _load_env_file(path: str) -> bool:
    """Read `NAME=value` lines; what is set already wins. No file is read unless asked for (C4)."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not a text file"
        print(f"kai-tui: cannot read {path}: {reason}.", file=sys.stderr)
        return False
    for line in lines:
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and not name.startswith("#"):
            os.environ.setdefault(name.strip(), value.strip().strip("\"'"))
    return True


def _options(arguments: argparse.Namespace) -> LaunchOptions:
    """What to open. Raises ValueError with a sentence for a branch that is none."""
    from kai_tui.services.account import branch_number
    from kai_tui.ui.launch import LaunchOptions

    service = os.environ.get("KAI_SERVICE", "").strip().lower()
    options = LaunchOptions(
        sandbox=arguments.sandbox,
        base_url=arguments.base_url or os.environ.get("KAI_BASE_URL") or None,
        storage_url=os.environ.get("STORAGE_API_URL") or None,
        service="agent" if service == "agent" else "assistant" if service == "assistant" else None,
        token_in_environment=bool(os.environ.get("STORAGE_API_TOKEN")),
    )
    if not options.from_environment:
        return options
    branch = os.environ.get(BRANCH_VARIABLE, "")
    try:
        # Taken for main, a mistyped branch would be written to main.
        return options._replace(branch_id=branch_number(branch))
    except ValueError as error:
        raise ValueError(f"{BRANCH_VARIABLE} is {branch!r}. {error}") from None


def _run_tui(arguments: argparse.Namespace) -> int:
    try:
        options = _options(arguments)
    except ValueError as error:
        print(f"kai-tui: {error}", file=sys.stderr)
        return 2
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print(
            "kai-tui needs a terminal: its input or output is not one. "
            "Start it in a terminal window, without pipes.",
            file=sys.stderr,
        )
        return NOT_A_TERMINAL
    # Collections while the program loads cost up to 50 ms before the first paint; the app
    # switches them on again after it (`ui/app.py`). With 240 frames a second a key is seen 4 ms after it acted at the
    # latest, also while an answer streams; without changes none is drawn.
    gc.disable()
    os.environ.setdefault("TEXTUAL_FPS", "240")
    # A key passes through the thread that reads it and the one that writes its glyph. While an answer streams, each would
    # wait for the interpreter as long as this, several times: with Python's 5 ms, 20 ms in all.
    sys.setswitchinterval(0.0005)
    from kai_tui.cli.logs import set_up_logging
    from kai_tui.services.account_service import AccountService
    from kai_tui.ui.app import run_app

    accounts = AccountService()
    if arguments.account is not None:
        try:
            options = options._replace(account=_named(accounts, arguments.account))
        except ValueError as error:
            print(f"kai-tui: {error}", file=sys.stderr)
            return 2
    set_up_logging(accounts.live_secrets)
    return run_app(accounts, options)


def _named(accounts: AccountService, name: str) -> Account:
    """The account that is called so. Raises ValueError with a sentence that says which there are."""
    from kai_tui.conversation.safe_text import safe_line

    known = accounts.named_accounts()
    wanted = name.strip().casefold()
    found = [each for each in known if each.label.casefold() == wanted]
    if len(found) == 1:
        return found[0]
    if found:
        where = ", ".join(str(safe_line(each.storage_url or each.base_url, 100)) for each in found)
        raise ValueError(
            f"Several accounts are called {str(safe_line(name, 80))!r} ({where}). Rename one of them."
        )
    names = ", ".join(str(safe_line(each.label, 80)) for each in known)
    raise ValueError(f"There is no account called {str(safe_line(name, 80))!r}. There are: {names}.")
