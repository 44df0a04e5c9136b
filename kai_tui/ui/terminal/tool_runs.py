"""Running a small helper program beside the event loop: fed by its standard input, bounded in time and size."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

_READ: Final = 65_536


async def feed(command: Sequence[str], data: bytes, *, environ: Mapping[str, str], seconds: float) -> bool:
    """Give a program `data` on its standard input; whether it ended well in time.

    What it prints is thrown away: programs that go on serving the clipboard keep their outputs open.
    """
    process = await _start(command, environ, output=asyncio.subprocess.DEVNULL)
    if process is None:
        return False
    try:
        async with asyncio.timeout(seconds):
            await process.communicate(data)
    except (TimeoutError, OSError):
        return False
    finally:
        await _end(process)
    return process.returncode == 0


async def read(
    command: Sequence[str], *, environ: Mapping[str, str], seconds: float, most: int
) -> bytes | None:
    """What a program prints, at most a little more than `most` bytes; None when it failed or took too long."""
    process = await _start(command, environ, output=asyncio.subprocess.PIPE)
    if process is None:
        return None
    found = bytearray()
    try:
        async with asyncio.timeout(seconds):
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.close()
            while len(found) <= most and (piece := await process.stdout.read(_READ)):
                found += piece
            if len(found) <= most:
                await process.wait()
    except (TimeoutError, OSError):
        return None
    finally:
        await _end(process)
    return bytes(found) if len(found) > most or process.returncode == 0 else None


async def _start(
    command: Sequence[str], environ: Mapping[str, str], *, output: int
) -> asyncio.subprocess.Process | None:
    try:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=output,
            stderr=asyncio.subprocess.DEVNULL,
            env=dict(environ),
            # What stays to serve the clipboard must not end with the terminal or on Ctrl+C.
            start_new_session=os.name == "posix",
        )
    except (OSError, ValueError, NotImplementedError):
        return None


async def _end(process: asyncio.subprocess.Process) -> None:
    """Leave nothing behind that hangs; what went into the background by itself stays."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError, PermissionError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    with suppress(asyncio.CancelledError):
        await asyncio.shield(process.wait())
