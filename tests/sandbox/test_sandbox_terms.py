"""The sandbox keeps to a chat's terms, knows what it is about, and has branches that are worlds of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from kai_tui.sandbox.assistant.about import Subject, meant_of, subject_of
from kai_tui.sandbox.branches import DEVELOPMENT, MAIN_ID, on_branch
from kai_tui.sandbox.project import Project
from tests.sandbox.chatter import HEADERS, Flavour, chatting, user_message

FLAVOURS: tuple[Flavour, ...] = ("agent", "assistant")
AT = "/admin/projects/2026"
ORDERS = f"{AT}/storage/in.c-shop/table/orders"
FIX = next(iter(DEVELOPMENT))
BUCKETS = "SELECT id FROM kai_buckets WHERE id='in.c-made'"


# Terms


async def test_a_read_only_chat_refuses_to_write_and_says_why() -> None:
    async with chatting("agent") as chat:
        chat.more = {"toolRestrictions": {"readOnlyMode": True}}
        answer = await chat.say("Create a bucket called made", lambda _call: None)
        assert "This chat is read-only" in answer.text
        assert "Nothing was changed" in answer.text
        (call,) = answer.tool_calls()
        assert (call.state, "read-only" in (call.error_text or "")) == ("output-error", True)
        assert chat.rows(BUCKETS) == []
        chat.more = {}
        again = await chat.say("Create a bucket called made", lambda _call: None)
        assert "This chat is read-only" in again.text
        assert "rows of `in.c-shop.orders`" in (await chat.say("How many orders do I have?")).text


async def test_an_assistant_drops_restrictions_as_the_real_one_does() -> None:
    async with chatting("assistant") as chat:
        chat.more = {"toolRestrictions": {"readOnlyMode": True}}
        await chat.say("Create a bucket called made")
        assert [call.tool_name for call in chat.asked] == ["create_bucket"]
        assert chat.rows(BUCKETS) != []


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_the_visibility_of_the_first_message_is_kept_and_told(flavour: Flavour) -> None:
    async with chatting(flavour) as chat:
        for visibility in ("public", "private"):
            chat.more = {"selectedVisibilityType": visibility}
            await chat.say("help")
        found = (await chat.client.get(f"/api/chat/{chat.chat_id}")).json()
        assert found["visibility"] == "public"
        (row,) = (await chat.client.get("/api/history")).json()["chats"]
        assert row["visibility"] == "public"


# What a message is about


@pytest.mark.parametrize(
    ("path", "subject"),
    [
        (ORDERS, Subject("table", "in.c-shop.orders")),
        (f"{AT}/branch/7/storage/in.c-shop/table/orders/", Subject("table", "in.c-shop.orders")),
        (f"{AT}/storage/out.c-reporting", Subject("bucket", "out.c-reporting")),
        (f"{AT}/components/keboola.flow/nightly", Subject("flow", "nightly")),
        (f"{AT}/flows/nightly", Subject("flow", "nightly")),
        (f"{AT}/components/keboola.ex-db/crm", Subject("configuration", "crm")),
        (f"{AT}/queue/30012", Subject("job", "30012")),
        (f"{AT}/storage", None),
        (f"{AT}/dashboard", None),
        ("/somewhere/else", None),
        ("", None),
    ],
)
def test_what_a_page_shows(path: str, subject: Subject | None) -> None:
    assert subject_of(path) == subject


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("describe this table", "describe table in.c-shop.orders"),
        ("What is this?", "describe table in.c-shop.orders"),
        ("show me this", "show me table in.c-shop.orders"),
        ("How many rows are in this table?", "How many orders?"),
        ("describe this bucket", "describe this bucket"),
        ("tell me more about that", "tell me more about that"),
        ("Which region sold most?", "Which region sold most?"),
    ],
)
def test_this_table_is_the_one_of_the_page(text: str, meant: str) -> None:
    message = user_message(text) | {"metadata": {"requestContext": {"path": ORDERS}}}
    assert meant_of(message) == meant
    assert meant_of(user_message(text)) == text


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        (ORDERS, "describe this table", "in.c-shop.orders"),
        (ORDERS, "show me this table", "The last 10 rows"),
        (ORDERS, "How many rows does this table have?", "rows of `in.c-shop.orders`"),
        (f"{AT}/queue/30001", "What happened to this job?", "Job 30001"),
    ],
)
async def test_a_question_about_this_is_answered(flavour: Flavour, path: str, text: str, said: str) -> None:
    async with chatting(flavour) as chat:
        chat.path = path
        answer = await chat.say(text)
        assert said in answer.text
        messages = (await chat.client.get(f"/api/chat/{chat.chat_id}")).json()["messages"]
        assert messages[0]["metadata"]["requestContext"] == {"path": path}
        assert messages[0]["parts"][0]["text"] == text


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_a_change_to_this_is_asked_about_that_very_thing(flavour: Flavour) -> None:
    async with chatting(flavour) as chat:
        chat.path = ORDERS
        await chat.say("Set the description of this table to Orders of the shop")
        (call,) = chat.asked
        assert call.input == {
            "updates": [{"item_id": "in.c-shop.orders", "description": "Orders of the shop"}]
        }


async def test_tables_tell_the_address_of_their_page() -> None:
    async with chatting("agent") as chat:
        answer = await chat.say("describe the orders table")
        looked = next(call for call in answer.tool_calls() if call.tool_name == "get_tables")
        urls = [each["url"] for each in looked.output["links"]]  # type: ignore[index]
        assert any(url.endswith(ORDERS) for url in urls)


# Branches


async def test_the_stack_lists_them_like_the_storage_api() -> None:
    async with chatting("agent") as chat:
        rows = (await chat.client.get("/v2/storage/dev-branches", headers=HEADERS)).json()
        assert (rows[0]["id"], rows[0]["isDefault"]) == (MAIN_ID, True)
        assert {row["id"]: row["name"] for row in rows if not row["isDefault"]} == {
            number: name for number, (name, _) in DEVELOPMENT.items()
        }
        refused = await chat.client.get("/v2/storage/dev-branches", headers={"x-storageapi-token": "no"})
        assert refused.status_code == 401


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_what_is_changed_on_a_branch_stays_on_it(flavour: Flavour) -> None:
    async with chatting(flavour) as chat:
        chat.more = {"branchId": FIX}
        await chat.say("Create a bucket called made")
        assert "in.c-made" in (await chat.say("What buckets do I have?")).text
        assert "branch fix-crm" in (await chat.say("What project is this?")).text
        assert chat.rows(BUCKETS) == []
        chat.more = {}
        assert "in.c-made" not in (await chat.say("What buckets do I have?")).text
        chat.more = {"branchId": MAIN_ID}
        assert "branch Main" in (await chat.say("What project is this?")).text


async def test_a_branch_nobody_made_is_refused_and_nothing_is_stored() -> None:
    async with chatting("agent") as chat:
        response = await chat.post(user_message("help"), branchId=99)
        assert response.status_code == 400
        assert "no branch 99" in response.text
        assert (await chat.client.get(f"/api/chat/{chat.chat_id}")).status_code == 404


def test_a_branch_of_a_file_is_a_file_of_its_own_without_chats(tmp_path: Path) -> None:
    path = tmp_path / "shop.sqlite"
    project = Project.open(path)
    with project.change() as connection:
        connection.execute(
            "INSERT INTO kai_chats VALUES('c', 'needle-9317', 'private', NULL, '{}', 'x', 'x')"
        )
    branch = on_branch(project, FIX)
    assert on_branch(project, FIX) is branch
    assert on_branch(project, MAIN_ID) is on_branch(project, None) is project
    with branch.change() as connection:
        connection.execute("DELETE FROM kai_buckets")
        assert connection.execute("SELECT count(*) FROM kai_chats").fetchone()[0] == 0
    project.close()
    file = tmp_path / f"shop.branch-{FIX}.sqlite"
    assert file.stat().st_mode & 0o777 == 0o600
    assert b"needle-9317" not in file.read_bytes()

    again = Project.open(path)
    with on_branch(again, FIX).look() as connection:
        assert connection.execute("SELECT count(*) FROM kai_buckets").fetchone()[0] == 0
    with again.look() as connection:
        assert connection.execute("SELECT count(*) FROM kai_buckets").fetchone()[0] > 0
    again.close()
