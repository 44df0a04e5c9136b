"""`kai-tui sandbox …`: the built-in assistant for other programs."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_sandbox_arguments(sandbox: argparse.ArgumentParser) -> None:
    """What can follow `kai-tui sandbox`."""
    commands = sandbox.add_subparsers(dest="sandbox_command", metavar="COMMAND", required=True)
    parser = commands.add_parser(
        "serve",
        help="serve Kai's API on this machine",
        description="Serve Kai's API on 127.0.0.1 until Ctrl+C. "
        'Prints one line of JSON when ready: {"base_url", "storage_api_url", "token"}.',
    )
    parser.add_argument("--port", type=_port, default=0, metavar="N", help="default: any free port")
    parser.add_argument(
        "--service",
        choices=("agent", "assistant"),
        default="agent",
        help="which Kai to be at the base URL; an agent also lists an assistant for older clients (default: agent)",
    )
    parser.add_argument(
        "--path", type=Path, metavar="FILE", help="keep the project in this file (default: in memory)"
    )
    parser.add_argument(
        "--pace",
        type=_pace,
        default=1.0,
        metavar="X",
        help="1 answers at a believable speed, 0 as fast as possible (default: 1)",
    )

    parser.add_argument(
        "--role",
        choices=("admin", "guest"),
        default="admin",
        help="what the token may: a guest cannot change the project's instructions (default: admin)",
    )


def run_sandbox(arguments: argparse.Namespace) -> int:
    """Run `kai-tui sandbox …`; answers with the exit code."""
    from kai_tui.sandbox.serve import serve

    return serve(arguments.port, arguments.service, arguments.path, pace=arguments.pace, role=arguments.role)


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: use 0 to 65535")
    return int(text)


def _pace(text: str) -> float:
    try:
        pace = float(text)
    except ValueError:
        pace = -1.0
    if not 0 <= pace <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is no pace: use 0 to 100")
    return pace
