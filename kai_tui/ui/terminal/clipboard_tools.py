"""Programs that own the clipboard of the computer one sits at."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeAlias

Which: TypeAlias = Callable[[str], str | None]
Encoding: TypeAlias = Literal["utf-8", "utf-16"]

_POWERSHELL_WRITE: Final = (
    "$r=New-Object IO.StreamReader([Console]::OpenStandardInput(),[Text.Encoding]::UTF8);"
    "Set-Clipboard -Value $r.ReadToEnd()"
)
_POWERSHELL_READ: Final = (
    "[Console]::OutputEncoding=[Text.Encoding]::UTF8;[Console]::Write((Get-Clipboard -Raw))"
)
_REMOTE: Final = ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT")


@dataclass(frozen=True, slots=True)
class ClipboardTool:
    """A program that takes the text on its standard input."""

    name: str
    write: tuple[str, ...]
    read: tuple[str, ...] = ()
    """What prints the clipboard, to look whether the text is there; empty: that cannot be checked."""
    encoding: Encoding = "utf-8"
    environ: Mapping[str, str] = field(default_factory=dict[str, str])
    """What it needs in its environment."""
    line_ends: bool = False
    """Whether it may change line ends (Windows)."""


def is_remote(environ: Mapping[str, str]) -> bool:
    """Whether the user sits at another computer, as far as the environment tells."""
    return any(environ.get(name) for name in _REMOTE)


def finder(environ: Mapping[str, str]) -> Which:
    """Looks programs up in PATH; never in the folder one stands in (Windows looks there first)."""

    def which(name: str) -> str | None:
        found = shutil.which(name, path=environ.get("PATH", os.defpath))
        return found if found is not None and Path(found).is_absolute() else None

    return which


def tools_for(
    environ: Mapping[str, str], *, platform: str = sys.platform, which: Which | None = None
) -> Sequence[ClipboardTool]:
    """The programs that are there for the clipboard of this computer, the best first; none on a remote one."""
    if is_remote(environ):
        return ()
    which = which or finder(environ)
    return [there for tool in _candidates(environ, platform) if (there := _found(tool, which)) is not None]


def _found(tool: ClipboardTool, which: Which) -> ClipboardTool | None:
    """The tool with the places of its programs."""
    write = which(tool.write[0])
    if write is None:
        return None
    read = which(tool.read[0]) if tool.read else None
    return ClipboardTool(
        tool.name,
        (write, *tool.write[1:]),
        (read, *tool.read[1:]) if read is not None else (),
        tool.encoding,
        tool.environ,
        tool.line_ends,
    )


def _candidates(environ: Mapping[str, str], platform: str) -> list[ClipboardTool]:
    if platform == "win32":
        return list(_WINDOWS)
    if platform == "darwin":
        # Without it pbcopy takes the text for MacRoman.
        return [ClipboardTool("pbcopy", ("pbcopy",), ("pbpaste",), environ={"LC_CTYPE": "UTF-8"})]
    tools: list[ClipboardTool] = []
    if environ.get("WAYLAND_DISPLAY"):
        tools.append(
            ClipboardTool(
                "wl-copy",
                ("wl-copy", "--type", "text/plain"),
                ("wl-paste", "--no-newline", "--type", "text/plain"),
            )
        )
    if environ.get("DISPLAY"):
        select = ("-selection", "clipboard")
        tools.append(ClipboardTool("xclip", ("xclip", *select, "-in"), ("xclip", *select, "-out")))
        tools.append(
            ClipboardTool("xsel", ("xsel", "--clipboard", "--input"), ("xsel", "--clipboard", "--output"))
        )
    if environ.get("WSL_DISTRO_NAME") or environ.get("WSL_INTEROP"):
        tools.extend(_WINDOWS)
    if environ.get("TERMUX_VERSION"):
        tools.append(
            ClipboardTool("termux-clipboard-set", ("termux-clipboard-set",), ("termux-clipboard-get",))
        )
    return tools


_POWERSHELL: Final = ("powershell.exe", "-NoProfile", "-NonInteractive", "-Command")
_WINDOWS: Final = (
    ClipboardTool(
        "PowerShell", (*_POWERSHELL, _POWERSHELL_WRITE), (*_POWERSHELL, _POWERSHELL_READ), line_ends=True
    ),
    ClipboardTool("clip.exe", ("clip.exe",), encoding="utf-16", line_ends=True),
)
