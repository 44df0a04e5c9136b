"""The list above the prompt in a real terminal: one write of many keys, a paste with an escape in it, wide text."""

from __future__ import annotations

from tests.e2e.conftest import Start
from tests.e2e.test_keys import sent
from tests.e2e.user import ENTER, ESCAPE, NEW
from tests.pty_harness import posix_only

pytestmark = posix_only


def test_keys_of_one_write_pass_the_lists_in_order_and_nothing_is_sent_by_them(start: Start) -> None:
    user = start("--sandbox").ready()
    user.write(f"/them\tli{ENTER}see @cust")
    user.wait_for("in.c-crm.customers")
    user.write(f"{ENTER} and @tick{ENTER}?")
    user.wait_for(lambda user: user.prompt() == "see in.c-crm.customers and in.c-support.tickets?")
    assert sent(user) == []
    user.write(f"{ENTER}")
    user.wait_for(lambda user: sent(user) == ["see in.c-crm.customers and in.c-support.tickets?"])
    user.wait_idle()
    user.write(f"{NEW}draft\x12support{ENTER}!")
    user.wait_for(lambda user: user.prompt() == "see in.c-crm.customers and in.c-support.tickets?!")
    user.write("\x1a\x1a")
    user.wait_for(lambda user: user.prompt() == "draft")


def test_a_paste_with_an_escape_and_a_slash_in_it_runs_and_sends_nothing(start: Start) -> None:
    user = start("--sandbox").ready()
    user.paste("/quit\x1b\rnow\x1b\r")
    user.wait_for("now")
    user.write("!")
    user.wait_for(lambda user: user.prompt().endswith("!"))
    assert sent(user) == []
    assert user.prompt().startswith("/quit")
    user.write(ENTER)
    user.wait_for("is a command")
    assert sent(user) == []
    user.write(ESCAPE)
