"""The copies of server chats and the reply being written (P7, t_clock, S8, S9)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from kai_tui.storage import chats as chats_module
from kai_tui.storage.chats import CachedChat, Chats
from kai_tui.storage.errors import StorageError


@pytest.fixture
def chats(tmp_path: Path, open_db) -> Chats:
    return Chats(open_db(tmp_path / "cache.sqlite", "cache"))


async def ids(chats: Chats, limit: int = 50, offset: int = 0) -> list[str]:
    return [chat.id for chat in await chats.summaries(limit, offset)]


async def test_summaries_come_newest_first_whatever_form_their_times_have(chats: Chats) -> None:
    await chats.put_summaries(
        [
            CachedChat("b", "B", "2026-05-04T09:00:00.000Z"),
            CachedChat("d", "D", "2020-01-01T00:00:00Z", "2026-05-04T11:00:00+01:00"),
            CachedChat("a", "A", "2026-05-04T08:59:59.999Z"),
            CachedChat("c", "C", "2026-05-04T09:30:00"),
            CachedChat("junk", "?", "yesterday", "soon"),
        ]
    )
    assert await ids(chats) == ["d", "c", "b", "a", "junk"]
    assert await ids(chats, 2, 1) == ["c", "b"]
    assert await chats.count() == 5
    assert (await chats.summaries(1))[0] == CachedChat(
        "d", "D", "2020-01-01T00:00:00Z", "2026-05-04T11:00:00+01:00"
    )


async def test_without_times_the_servers_order_stays(chats: Chats) -> None:
    await chats.put_summaries([CachedChat(name, "t") for name in "abc"])
    assert await ids(chats) == ["a", "b", "c"]
    await chats.put_summaries([CachedChat(name, "t") for name in "cab"])
    assert await ids(chats) == ["c", "a", "b"]


async def test_a_chat_that_is_written_in_is_the_newest_whatever_the_clock_says(chats: Chats) -> None:
    await chats.put_summaries(
        [CachedChat("future", "t", "2999-01-01T00:00:00Z"), CachedChat("old", "t", "2001-01-01T00:00:00Z")]
    )
    await chats.checkpoint("old", {"id": "r"}, "streaming")
    assert await ids(chats) == ["old", "future"]
    await chats.checkpoint("new", {"id": "u"}, "complete", title="New")
    assert await ids(chats) == ["new", "old", "future"]
    await chats.put_summaries([CachedChat("old", "t", "2001-01-01T00:00:00Z")])
    assert await ids(chats) == ["new", "future", "old"]


async def test_a_chat_reads_back_as_it_was(chats: Chats) -> None:
    messages = [
        {"id": "u1", "role": "user", "parts": [{"type": "text", "text": "Ahoj 👩‍👧 \x1b[2J\0"}]},
        {"id": "a1", "role": "assistant", "parts": [], "unknown": {"deep": [1, 2.5, None, True]}},
    ]
    chat = CachedChat("c", "Title", "2026-05-04T09:00:00.000Z", "", "public")
    await chats.put_chat(chat, messages)
    found = await chats.chat("c")
    assert found
    assert found.summary == chat
    assert found.whole
    assert [message.wire for message in found.messages] == messages
    assert {message.state for message in found.messages} == {"complete"}
    assert await chats.chat("nobody") is None


async def test_messages_without_or_with_equal_ids_do_not_break_it(chats: Chats) -> None:
    await chats.put_chat(
        CachedChat("c", "t"), [{"role": "user"}, {"id": 5}, {"id": ""}, {"id": "x"}, {"id": "x", "n": 2}]
    )
    found = await chats.chat("c")
    assert found
    assert [message.wire for message in found.messages] == [
        {"role": "user"},
        {"id": 5},
        {"id": ""},
        {"id": "x", "n": 2},
    ]


async def test_a_reply_is_kept_while_it_is_written(chats: Chats) -> None:
    await chats.checkpoint("c", {"id": "u", "role": "user"}, "complete", title="Question")
    for words in range(5):
        await chats.checkpoint("c", {"id": "r", "text": "word " * words}, "streaming")
    found = await chats.chat("c")
    assert found
    assert found.summary.title == "Question"
    assert not found.whole
    assert [(message.wire["id"], message.state) for message in found.messages] == [
        ("u", "complete"),
        ("r", "streaming"),
    ]
    assert found.messages[1].wire["text"] == "word " * 4
    for state in ("stopped", "failed", "cut-off", "complete"):
        await chats.checkpoint("c", {"id": "r", "text": "end"}, state)
        found = await chats.chat("c")
        assert found
        assert found.messages[1].state == state


async def test_a_reply_whose_process_died_is_cut_off(chats: Chats) -> None:
    await chats.checkpoint("c", {"id": "r", "text": "so far"}, "streaming")
    after_restart = Chats(chats._database)
    found = await after_restart.chat("c")
    assert found
    assert found.messages[0].state == "cut-off"
    assert found.messages[0].wire["text"] == "so far"


async def test_an_unfinished_reply_outlives_a_server_that_does_not_have_it(chats: Chats) -> None:
    user, reply = {"id": "u"}, {"id": "r", "text": "so far"}
    await chats.checkpoint("c", user, "complete")
    await chats.checkpoint("c", reply, "cut-off")
    await chats.put_chat(CachedChat("c", "t"), [user])
    found = await chats.chat("c")
    assert found
    assert [message.wire for message in found.messages] == [user, reply]
    await chats.put_chat(CachedChat("c", "t"), [user, {"id": "server's", "text": "all of it"}])
    found = await chats.chat("c")
    assert found
    assert [message.wire["id"] for message in found.messages] == ["u", "server's"]


async def test_what_the_server_dropped_is_dropped(chats: Chats) -> None:
    await chats.put_chat(CachedChat("c", "t"), [{"id": "1"}, {"id": "2"}, {"id": "3"}])
    await chats.put_chat(CachedChat("c", "t"), [{"id": "1"}])
    found = await chats.chat("c")
    assert found
    assert [message.wire["id"] for message in found.messages] == ["1"]


async def test_a_reply_gets_another_id(chats: Chats) -> None:
    await chats.checkpoint("c", {"id": "ours"}, "streaming")
    await chats.rename_message("c", "ours", "theirs")
    await chats.checkpoint("c", {"id": "theirs"}, "complete")
    found = await chats.chat("c")
    assert found
    assert len(found.messages) == 1


async def test_lone_surrogates_are_replaced_and_pairs_joined(chats: Chats) -> None:
    await chats.put_summaries([CachedChat("\udc00", "a\ud800b")])
    await chats.checkpoint(
        "\udc00", {"id": "\ud800", "text": "x\ud83d\ude00y\udfffz"}, "streaming", title="T\udcff"
    )
    found = await chats.chat("\udc00")
    assert found
    assert found.summary.title == "T\ufffd"
    assert found.messages[0].wire == {"id": "\ufffd", "text": "x😀y\ufffdz"}
    await chats.delete("\udc00")
    assert await chats.count() == 0


async def test_what_cannot_be_json_is_a_sentence(chats: Chats) -> None:
    deep: dict[str, object] = {}
    for _ in range(100_000):
        deep = {"a": deep}
    try:
        with pytest.raises(StorageError) as caught:
            await chats.checkpoint("c", {"id": "r", "x": deep}, "streaming")
        assert "nested" in caught.value.sentence
    finally:
        while deep:  # taking it apart in one go would recurse as deep
            deep = deep.pop("a")  # type: ignore[assignment]


async def test_an_unreadable_row_is_left_out(chats: Chats) -> None:
    await chats.put_chat(CachedChat("c", "t"), [{"id": "1"}, {"id": "2"}])
    await chats._database.execute("UPDATE messages SET wire = '{broken' WHERE id = '1'")
    found = await chats.chat("c")
    assert found
    assert [message.wire["id"] for message in found.messages] == ["2"]


async def test_delete_takes_the_messages_along(chats: Chats) -> None:
    await chats.put_chat(CachedChat("c", "t"), [{"id": "1"}])
    await chats.put_chat(CachedChat("d", "t"), [{"id": "1"}])
    await chats.delete("c")
    await chats.delete("never was")
    assert await chats.chat("c") is None

    def left(connection: sqlite3.Connection) -> list[str]:
        return [row[0] for row in connection.execute("SELECT chat_id FROM messages")]

    assert await chats._database.run(left) == ["d"]


async def test_the_limit_drops_the_oldest_messages(chats: Chats, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chats_module, "CACHE_LIMIT_BYTES", 1_000_000)
    for number in range(40):
        await chats.put_chat(CachedChat(str(number), "t"), [{"id": "m", "text": "x" * 50_000}])
    assert await chats.count() == 40
    oldest, newest = await chats.chat("0"), await chats.chat("39")
    assert oldest
    assert not oldest.messages
    assert newest
    assert newest.messages
    assert chats._database.path.stat().st_size < 1_200_000


async def test_a_page_of_fifty_thousand_chats_is_read_from_an_index(chats: Chats) -> None:
    many = [
        CachedChat(f"id-{n}", f"Chat {n}", f"2026-01-01T00:{n // 60 % 60:02}:{n % 60:02}Z")
        for n in range(50_000)
    ]
    await chats.put_summaries(many)
    for offset in (0, 1000, 49_950):
        assert len(await chats.summaries(50, offset)) == 50
    plan = await chats._database.run(
        lambda connection: connection.execute(
            "EXPLAIN QUERY PLAN SELECT id FROM chats ORDER BY stamp DESC, sequence DESC LIMIT 50"
        ).fetchall()
    )
    words = " ".join(str(row[-1]) for row in plan)
    assert "INDEX" in words
    assert "TEMP B-TREE" not in words
    await chats.checkpoint("id-77", {"id": "r"}, "streaming")
    assert (await ids(chats, 1)) == ["id-77"]


async def test_accounts_do_not_share_anything(tmp_path: Path, open_db) -> None:
    mine, theirs = Chats(open_db(tmp_path / "a", "cache")), Chats(open_db(tmp_path / "b", "cache"))
    await mine.put_chat(CachedChat("c", "secret"), [{"id": "m"}])
    assert await theirs.count() == 0
    assert await theirs.chat("c") is None


async def test_keeping_a_chat_again_writes_only_what_differs(chats: Chats, tmp_path: Path) -> None:
    rows = [{"id": str(number), "text": "x" * 2_000} for number in range(300)]
    await chats.put_chat(CachedChat("c", "t"), rows)
    with sqlite3.connect(tmp_path / "cache.sqlite") as other:
        other.execute("CREATE TABLE touched (id TEXT)")
        for what, row in (("INSERT", "new"), ("UPDATE", "new"), ("DELETE", "old")):
            other.execute(
                f"CREATE TRIGGER on_{what} AFTER {what} ON messages BEGIN INSERT INTO touched VALUES ({row}.id); END"
            )
    rows[7] = {"id": "7", "text": "changed"}
    del rows[299]
    await chats.put_chat(CachedChat("c", "t"), rows)
    assert {row[0] for row in other.execute("SELECT id FROM touched")} == {"7", "299"}
    other.close()
    found = await chats.chat("c")
    assert found is not None
    assert [message.wire for message in found.messages] == rows


async def test_odd_rows_do_not_keep_a_chat_from_being_read(chats: Chats, tmp_path: Path) -> None:
    await chats.put_chat(CachedChat("c", "t"), [{"id": str(number)} for number in range(8)])
    with sqlite3.connect(tmp_path / "cache.sqlite") as other:
        for number, odd in enumerate(["", "[1]", '{"id":', b"\xff\xfe", "nothing", '{"n":NaN}', "{}"]):
            other.execute("UPDATE messages SET wire = ? WHERE id = ?", (odd, str(number)))
    other.close()
    found = await chats.chat("c")
    assert found is not None
    assert [message.text for message in found.messages] == [b'{"n":NaN}', b"{}", b'{"id":"7"}']


async def test_the_newest_messages_can_be_read_alone(chats: Chats) -> None:
    await chats.put_chat(CachedChat("c", "t"), [{"id": str(number)} for number in range(100)])
    await chats.checkpoint("c", {"id": "r"}, "streaming")
    found = await chats.read("c", lambda text, state: (text, state), newest=2)
    assert found is not None
    assert found[1] == [(b'{"id":"99"}', "complete"), (b'{"id":"r"}', "streaming")]
    assert await chats.read("nothing", lambda text, _: text) is None
