"""`kai-tui ledger …`: look at what was decided without opening the program."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kai_tui.services.ledger_book import Book

CHANGED = 1
WRONG = 2


def add_ledger_arguments(ledger: argparse.ArgumentParser) -> None:
    """What can follow `kai-tui ledger`."""
    commands = ledger.add_subparsers(dest="ledger_command", metavar="COMMAND", required=True)
    check = commands.add_parser(
        "verify",
        help="look whether anything was changed after it was written",
        description="Checks every entry of every ledger. Leaves with 0 when no later change was found, else with 1.",
    )
    check.add_argument("--head", metavar="HASH", type=_hash, help="a head you noted elsewhere")
    export = commands.add_parser(
        "export",
        help="write decisions as CSV, JSON or Markdown",
        description="Writes decisions to the terminal, or to a new file only you can read. Leaves with 1 when a "
        "ledger cannot be read or was changed.",
    )
    export.add_argument(
        "--format", choices=("csv", "json", "markdown"), default="markdown", help="default: markdown"
    )
    export.add_argument("--output", metavar="FILE", type=Path, help="a file that is not there yet")
    export.add_argument(
        "--match", metavar="WORDS", default="", help="only decisions in which all of these words occur"
    )
    for parser in (check, export):
        parser.add_argument(
            "--account", metavar="NAME", help="only of the account of this name (default: of all)"
        )


def run_ledger(arguments: argparse.Namespace) -> int:
    """Run `kai-tui ledger …`; answers with the exit code."""
    from kai_tui.conversation.safe_text import safe_line
    from kai_tui.services.account_service import AccountService
    from kai_tui.services.ledger_book import read_books

    accounts = AccountService()
    names = {each.id: each.label for each in accounts.named_accounts()}
    books = read_books(accounts.paths, names=names, noted=getattr(arguments, "head", None) or "")
    wanted = arguments.account
    if wanted is not None:
        books = [each for each in books if each.label.casefold() == wanted.strip().casefold()]
        if not books:
            print(f"kai-tui: there is no ledger of {str(safe_line(wanted, 80))!r}.", file=sys.stderr)
            return WRONG
    if arguments.ledger_command == "verify":
        return _verify(books, noted=arguments.head is not None)
    return _export(books, arguments)


def _verify(books: list[Book], *, noted: bool) -> int:
    from kai_tui.conversation.safe_text import safe_line
    from kai_tui.storage.ledger_chain import CANNOT_FIND

    if not books:
        print("Nothing was decided here yet: there is no ledger.")
        return CHANGED if noted else 0
    for book in books:
        first, *rest = book.found
        print(f"{safe_line(book.label, 80)}: {safe_line(first)}")
        for line in rest:
            print(f"  {safe_line(line)}")
    print(f"\n{CANNOT_FIND}")
    return 0 if all(book.sound for book in books) else CHANGED


def _export(books: list[Book], arguments: argparse.Namespace) -> int:
    from kai_tui.conversation.safe_text import safe_line
    from kai_tui.services.ledger_book import matching
    from kai_tui.services.ledger_export import exported, write_export
    from kai_tui.storage.errors import StorageError

    for book in books:
        if not book.sound:
            print(f"kai-tui: {safe_line(book.label, 80)}: {safe_line(book.found[0])}", file=sys.stderr)
    about = arguments.match.strip()
    chosen = [(book, matching(book.records, about)) for book in books if book.verified is not None]
    text = exported(chosen, arguments.format, about=about)
    if arguments.output is None:
        sys.stdout.write(text)
    else:
        try:
            write_export(arguments.output, text)
        except StorageError as error:
            print(f"kai-tui: {safe_line(error.sentence)}", file=sys.stderr)
            return WRONG
        count = sum(len(records) for _, records in chosen)
        print(f"{'1 decision' if count == 1 else f'{count:,} decisions'} written to {arguments.output}.")
    return CHANGED if any(not book.sound for book in books) else 0


def _hash(text: str) -> str:
    text = text.strip().lower()
    if not 8 <= len(text) <= 64 or set(text) - set("0123456789abcdef"):
        raise argparse.ArgumentTypeError("a head is 8 to 64 of the characters 0-9 and a-f")
    return text
