"""The conversation every new user should be able to have, on any server that speaks Kai's API."""

from __future__ import annotations

import re

from tests.e2e.user import DOWN, ENTER, NEW, RIGHT, User

ASK = "Create a bucket called test-bucket"
MADE = "in.c-test-bucket is there"


def read_deny_approve(user: User) -> None:
    """A question with a read, the same change denied and approved, and a look at the result."""
    user.ask("What tables do I have?", "out.c-reporting.monthly_sales")

    user.write(ASK + ENTER)
    user.asked("create_bucket", "test-bucket", '"in"', " creates ", " MAIN ")
    user.deny()
    user.wait_for("Nothing was changed")
    user.wait_idle()
    user.ask("What buckets do I have?", "Your project has 4 buckets")

    user.write(ASK + ENTER)
    user.asked('"test-bucket"', '"in"')
    user.approve()
    user.wait_for(MADE)
    user.wait_idle()
    user.ask("What buckets do I have?", "Your project has 5 buckets")
    user.wait_for(re.compile(r"in\.c-test-bucket (?!is there)"))


def go_on_in_an_older_chat_and_delete_the_newer(user: User) -> None:
    """History: open the older of two chats and go on in it; delete the other one after a question."""
    user.write(NEW)
    user.wait_for("Try one: press its number")
    user.ask("What is 2 + 2?", "2 + 2 = 4")
    user.wait_for(lambda user: "What is 2 + 2" in user.header())

    user.open_chats()
    user.write(DOWN)
    user.write(ENTER)
    user.wait_for("in.c-test-bucket")
    user.wait_for(lambda user: "What tables do I have" in user.header())
    user.ask("What did I just say?", "You just said:")

    # It moved to the top of the list; the other one is below it.
    user.open_chats()
    user.write(DOWN)
    user.write("d")
    user.wait_for("Delete this chat?")
    user.wait_for("cannot be undone")
    user.wait_for("What is 2 + 2")
    user.write(RIGHT)
    user.write(ENTER)
    user.wait_for("The chat was deleted")
