"""Tokens in the keyring, whatever keyring that is (C1-C3, C8, P15, P16, T16; t_credentials)."""

from __future__ import annotations

import asyncio
import os
import pickle
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import ClassVar

import keyring
import keyring.backend
import keyring.core
import keyring.errors
import pytest
from keyring.backends import chainer, fail, null

from kai_tui.storage import keyring_entries
from kai_tui.storage.credentials import Credential, Credentials, CredentialsUnavailable
from kai_tui.storage.errors import StorageError
from kai_tui.storage.paths import NOWHERE, Paths, credential_file

TOKEN = "1234-567890-CANARYabcdefghij"


class Fake(keyring.backend.KeyringBackend):
    """A keyring that works, and looks like the Secret Service."""

    priority = 5  # type: ignore[assignment]
    limit: int | None = None

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.writes: list[str] = []

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.limit is not None and len(password) > self.limit:
            raise OSError(1783, "The stub received bad data")
        self.writes.append(service)
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.kept:
            raise keyring.errors.PasswordDeleteError("not found")
        del self.kept[service, username]


Fake.__module__ = "keyring.backends.SecretService"


class Locked(Fake):
    def get_password(self, *_: str) -> str | None:
        raise keyring.errors.KeyringLocked("Failed to unlock the collection!")

    set_password = delete_password = get_password  # type: ignore[assignment]


class Failing(Fake):
    def get_password(self, *_: str) -> str | None:
        raise RuntimeError(f"D-Bus says no to {TOKEN}")

    set_password = delete_password = get_password  # type: ignore[assignment]


class Hanging(Fake):
    """Answers never (while a test runs)."""

    made: ClassVar[list[Hanging]] = []

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()
        self.made.append(self)

    def get_password(self, *_: str) -> str | None:
        self.released.wait(30)
        return None

    set_password = delete_password = get_password  # type: ignore[assignment]


class Lying(Fake):
    def get_password(self, service: str, username: str) -> str | None:
        return None


class Windows(Fake):
    limit = 1280


for fake in (Locked, Failing, Hanging, Lying, Windows):
    fake.__module__ = "keyring.backends.Windows"


class PlainText(Fake):
    """As keyrings.alt has it."""

    priority = 9.5  # type: ignore[assignment]


PlainText.__module__ = "keyrings.alt.file"


class Weak(Fake):
    priority = 0.5  # type: ignore[assignment]


Weak.__module__ = "keyring.backends.kwallet"


@pytest.fixture(autouse=True)
def keyring_restored() -> Iterator[None]:
    before = keyring.core._keyring_backend
    yield
    keyring.core._keyring_backend = before
    while Hanging.made:
        Hanging.made.pop().released.set()


@pytest.fixture
def credentials(paths: Paths) -> Credentials:
    return Credentials(paths, seconds=2)


def use(backend: keyring.backend.KeyringBackend):
    keyring.set_keyring(backend)
    return backend


async def refused(coroutine) -> CredentialsUnavailable:
    with pytest.raises(CredentialsUnavailable) as caught:
        await coroutine
    assert caught.value.sentence
    assert TOKEN not in caught.value.sentence
    assert TOKEN not in repr(caught.value.__cause__)
    return caught.value


async def test_a_good_keyring(credentials: Credentials, paths: Paths) -> None:
    backend = use(Fake())
    assert await credentials.read("a") is None
    assert await credentials.keep("a", TOKEN) == Credential(TOKEN, "keyring")
    assert await credentials.read("a") == Credential(TOKEN, "keyring")
    assert await credentials.read("b") is None
    await credentials.keep("a", "another")
    await credentials.keep("b", TOKEN)
    assert await credentials.read("a") == Credential("another", "keyring")
    await credentials.forget("a")
    await credentials.forget("a")
    assert await credentials.read("a") is None
    assert list(backend.kept.values()) == [TOKEN]
    assert not paths.data.exists()


async def test_a_credential_does_not_show_its_token() -> None:
    credential = Credential(TOKEN, "keyring")
    assert TOKEN not in repr(credential)
    assert TOKEN not in f"{credential} {[credential]}"
    with pytest.raises(TypeError):
        pickle.dumps(credential)


@pytest.mark.parametrize("length", [1199, 1200, 1201, 5000, 20_000])
async def test_long_tokens_are_split(credentials: Credentials, length: int) -> None:
    backend = use(Windows())
    token = "".join(chr(97 + n % 26) for n in range(length))
    await credentials.keep("a", token)
    assert await credentials.read("a") == Credential(token, "keyring")
    assert max(len(part) for part in backend.kept.values()) <= keyring_entries.ENTRY_CHARACTERS
    assert backend.writes[-1] == "kai-tui:a"
    await credentials.forget("a")
    assert backend.kept == {}


async def test_a_mix_of_two_tokens_is_no_token(credentials: Credentials) -> None:
    backend = use(Fake())
    await credentials.keep("a", "x" * 3000)
    backend.kept["kai-tui:a#2", "token"] = "y" * 1100
    assert await credentials.read("a") is None
    backend.kept["kai-tui:a", "token"] = "kai-tui-parts:junk"
    assert await credentials.read("a") is None
    await credentials.forget("a")
    assert backend.kept == {}


async def test_a_token_that_looks_like_parts(credentials: Credentials) -> None:
    use(Fake())
    await credentials.keep("a", "kai-tui-parts:9:x:y")
    assert await credentials.read("a") == Credential("kai-tui-parts:9:x:y", "keyring")


async def test_a_shorter_token_leaves_nothing_of_the_longer_one(credentials: Credentials) -> None:
    backend = use(Fake())
    await credentials.keep("a", "x" * 5000)
    await credentials.keep("a", "short")
    assert list(backend.kept.values()) == ["short"]


@pytest.mark.parametrize(
    ("backend", "why"),
    [(fail.Keyring, "none"), (null.Keyring, "refused"), (PlainText, "refused"), (Weak, "refused"), (Locked, "locked"),
     (Failing, "failed"), (Lying, "failed")],
)  # fmt: skip
async def test_a_keyring_that_does_not_help(
    credentials: Credentials, paths: Paths, backend, why: str
) -> None:
    used = use(backend())
    assert (await refused(credentials.keep("a", TOKEN))).why == why
    assert not getattr(used, "kept", None), "nothing may stay in a keyring we did not trust"
    assert not credential_file(paths, "a").exists()
    if why in ("none", "refused"):
        assert await credentials.read("a") is None
        await credentials.forget("a")
    elif why != "failed" or backend is Failing:
        assert (await refused(credentials.read("a"))).why == why
        assert (await refused(credentials.forget("a"))).why == why


async def test_a_hanging_keyring_is_given_up(paths: Paths) -> None:
    use(Hanging())
    credentials = Credentials(paths, seconds=0.1)
    for attempt in (credentials.keep("a", TOKEN), credentials.read("a"), credentials.forget("a")):
        started = time.monotonic()
        assert (await refused(attempt)).why == "slow"
        assert time.monotonic() - started < 1
    assert (await credentials.keep("a", TOKEN, allow_file=True)).source == "file"


class Slow(Fake):
    """Waits until the user has unlocked it."""

    unlocked = threading.Event()

    def set_password(self, service: str, username: str, password: str) -> None:
        self.unlocked.wait(10)
        super().set_password(service, username, password)


Slow.__module__ = "keyring.backends.libsecret"


async def wait_for(condition) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


def keyring_threads() -> int:
    return sum(thread.name == "keyring" for thread in threading.enumerate())


@pytest.mark.parametrize("again", [False, True])
async def test_a_token_that_comes_too_late_is_kept_only_when_still_wanted(paths: Paths, again: bool) -> None:
    await wait_for(lambda: keyring_threads() == 0)
    backend = use(Slow())
    backend.unlocked.clear()
    credentials = Credentials(paths, seconds=0.05)
    assert (await refused(credentials.keep("a", TOKEN))).why == "slow"
    credentials = Credentials(paths, seconds=5)
    second = asyncio.create_task(credentials.keep("a", TOKEN)) if again else None
    await asyncio.sleep(0)
    backend.unlocked.set()
    if second:
        assert (await second).source == "keyring"
    await wait_for(lambda: keyring_threads() == 0)
    assert list(backend.kept.values()) == ([TOKEN] if again else [])


async def test_the_loop_runs_while_a_keyring_hangs(paths: Paths) -> None:
    use(Hanging())
    task = asyncio.create_task(Credentials(paths, seconds=0.2).read("a"))
    ticks = 0
    while not task.done():
        ticks += 1
        await asyncio.sleep(0.005)
    assert ticks > 10
    with pytest.raises(CredentialsUnavailable):
        task.result()


def test_a_hanging_keyring_does_not_keep_the_process_alive(paths: Paths) -> None:
    code = f"""
import asyncio, pathlib, threading
import keyring, keyring.backend
from kai_tui.storage.credentials import *
from kai_tui.storage.paths import app_paths
class Hanging(keyring.backend.KeyringBackend):
    priority = 5
    def get_password(self, service, username): threading.Event().wait(60)
    set_password = delete_password = get_password
Hanging.__module__ = "keyring.backends.macOS"
keyring.set_keyring(Hanging())
async def main():
    try:
        await Credentials(app_paths({{"KAI_TUI_HOME": {str(paths.data)!r}}}), seconds=0.1).read("a")
    except CredentialsUnavailable as error:
        print(error.why)
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20)
    assert (done.stdout.strip(), done.stderr) == ("slow", "")


@pytest.mark.parametrize("links", [[PlainText, Fake], [null.Keyring, PlainText], []])
async def test_of_a_chain_only_trusted_links_are_used(credentials: Credentials, monkeypatch, links) -> None:
    made = [link() for link in links]
    monkeypatch.setattr(chainer.ChainerBackend, "backends", made)
    use(chainer.ChainerBackend())
    if Fake in links:
        assert (await credentials.keep("a", TOKEN)).source == "keyring"
        assert [len(getattr(link, "kept", {})) for link in made] == [0, 1]
    else:
        assert (await refused(credentials.keep("a", TOKEN))).why == "none"


async def test_a_wrong_configuration_is_a_sentence(credentials: Credentials, monkeypatch) -> None:
    monkeypatch.setattr(keyring.core, "_keyring_backend", None)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "no.such.Backend")
    error = await refused(credentials.keep("a", TOKEN))
    assert "no" in error.sentence
    assert await credentials.read("a") is None


async def test_a_file_only_after_an_explicit_yes(credentials: Credentials, paths: Paths) -> None:
    use(fail.Keyring())
    await refused(credentials.keep("a", TOKEN))
    file = credential_file(paths, "a")
    assert not file.exists()
    assert await credentials.keep("a", TOKEN, allow_file=True) == Credential(TOKEN, "file")
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert await credentials.read("a") == Credential(TOKEN, "file")
    await credentials.forget("a")
    assert not file.exists()


async def test_the_file_goes_when_the_keyring_takes_it(credentials: Credentials, paths: Paths) -> None:
    use(fail.Keyring())
    await credentials.keep("a", TOKEN, allow_file=True)
    use(Fake())
    assert (await credentials.keep("a", TOKEN, allow_file=True)).source == "keyring"
    assert not credential_file(paths, "a").exists()


async def test_forgetting_with_a_locked_keyring_removes_the_file_and_says_what_stays(
    credentials: Credentials, paths: Paths
) -> None:
    use(Locked())
    await credentials.keep("a", TOKEN, allow_file=True)
    error = await refused(credentials.forget("a"))
    assert "may still be in your keyring" in error.sentence
    assert not credential_file(paths, "a").exists()


async def test_a_folder_that_cannot_be_written() -> None:
    use(fail.Keyring())
    credentials = Credentials(Paths(NOWHERE, NOWHERE, NOWHERE, NOWHERE))
    with pytest.raises(StorageError) as caught:
        await credentials.keep("a", TOKEN, allow_file=True)
    assert TOKEN not in caught.value.sentence
    assert await credentials.read("a") is None
    await credentials.forget("a")


async def test_the_environment_counts_only_when_it_is_given(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(Fake())
    monkeypatch.setenv("STORAGE_API_TOKEN", "from-the-shell")
    assert await Credentials(paths).read("a") is None
    given = Credentials(paths, {"STORAGE_API_TOKEN": f" {TOKEN}\n"})
    await given.keep("a", "kept")
    assert await given.read("a") == Credential(TOKEN, "environment")
    assert await Credentials(paths, {"STORAGE_API_TOKEN": ""}).read("a") == Credential("kept", "keyring")
