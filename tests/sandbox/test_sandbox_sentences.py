"""The sentences people try first get a right answer (design.md §7)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from kai_tui.sandbox.assistant import Talk
from kai_tui.sandbox.assistant.intents import fallback, understand
from kai_tui.sandbox.assistant.small_talk import sum_of
from tests.sandbox.chatter import Chatter, Flavour, chatting


@pytest.fixture(params=["agent", "assistant"])
async def chat(request: pytest.FixtureRequest) -> AsyncIterator[Chatter]:
    flavour: Flavour = request.param
    async with chatting(flavour) as chatter:
        yield chatter


def tools(answer: object) -> list[str]:
    return [call.tool_name for call in answer.tool_calls()]  # type: ignore[attr-defined]


@pytest.mark.parametrize("sentence", ["What can you help me with?", "help", "/help", "?", "What can I ask?"])
async def test_help_is_honest_and_suggests(chat: Chatter, sentence: str) -> None:
    answer = await chat.say(sentence)
    assert "rule-based stand-in" in answer.text
    assert "```next_actions\n- " in answer.text
    assert not answer.tool_calls()


@pytest.mark.parametrize(
    "sentence", ["What tables do I have?", "List my Keboola tables", "whattables do I have"]
)
async def test_tables(chat: Chatter, sentence: str) -> None:
    answer = await chat.say(sentence)
    assert tools(answer) == ["get_buckets", "get_tables"]
    for (table,) in chat.rows("SELECT id FROM kai_tables"):
        assert f"| `{table}` |" in answer.text
    assert "**9 tables** in 4 buckets" in answer.text


async def test_a_table(chat: Chatter) -> None:
    answer = await chat.say("Show me the orders table")
    assert tools(answer) == ["search", "get_tables", "query_data"]
    assert "**420 rows**" in answer.text
    newest = chat.rows('SELECT order_id FROM "in.c-shop.orders" ORDER BY 1 DESC LIMIT 10')
    assert [line.split("|")[1].strip() for line in answer.text.splitlines() if line.startswith("| 1")] == [
        str(row[0]) for row in newest
    ]


async def test_which_region_sold_most(chat: Chatter) -> None:
    answer = await chat.say("Which region sold most?")
    best, amount = chat.rows(
        "SELECT region, sum(amount) FROM \"in.c-shop.orders\" WHERE status <> 'cancelled' "
        "GROUP BY 1 ORDER BY 2 DESC LIMIT 1"
    )[0]
    assert answer.text.startswith(f"**{best}** sold most: {round(amount):,} euro")
    assert tools(answer) == ["query_data"]
    assert any(part.type == "reasoning" for part in answer.parts)


@pytest.mark.parametrize(
    "sql",
    [
        'SELECT count(*) AS n FROM "in.c-shop"."orders"',
        "select count(*) as n from orders",
        "```sql\nSELECT count(*) AS n FROM in.c-shop.orders\n```",
        "Run this query: select count(*) as n from orders",
        "WITH o AS (SELECT * FROM orders) SELECT count(*) AS n FROM o;",
    ],
)
async def test_sql(chat: Chatter, sql: str) -> None:
    answer = await chat.say(sql)
    assert tools(answer) == ["query_data"]
    assert "| n |\n|---:|\n| 420 |" in answer.text


async def test_sql_that_fails(chat: Chatter) -> None:
    answer = await chat.say("SELECT * FROM ordrs")
    assert answer.tool_calls()[0].state == "output-error"
    assert "there is no table ordrs. Did you mean in.c-shop.orders?" in answer.text


@pytest.mark.parametrize("sql", ["DELETE FROM orders", "drop table orders", "UPDATE orders SET amount = 0"])
async def test_sql_that_writes_is_not_run(chat: Chatter, sql: str) -> None:
    answer = await chat.say(sql)
    assert not answer.tool_calls()
    assert "Nothing was changed" in answer.text


async def test_a_bucket_is_created_after_a_yes(chat: Chatter) -> None:
    answer = await chat.say("Create a bucket called test-bucket")
    assert [(call.tool_name, call.input) for call in chat.asked] == [
        ("create_bucket", {"name": "test-bucket", "stage": "in"})
    ]
    assert chat.rows("SELECT stage FROM kai_buckets WHERE id='in.c-test-bucket'") == [("in",)]
    assert "**`in.c-test-bucket`** is there" in answer.text


async def test_no_bucket_after_a_no(chat: Chatter) -> None:
    answer = await chat.say("Create a bucket called test-bucket", lambda _call: "we have enough")
    assert not chat.rows("SELECT 1 FROM kai_buckets WHERE id='in.c-test-bucket'")
    assert "You said no (“we have enough”)" in answer.text
    assert "Nothing was changed" in answer.text


async def test_a_bucket_that_exists(chat: Chatter) -> None:
    answer = await chat.say("create a bucket named crm")
    assert answer.tool_calls()[0].state == "output-error"
    assert "already exists" in answer.text
    assert "is there, and empty" not in answer.text


async def test_a_bucket_without_a_name_is_asked_for(chat: Chatter) -> None:
    assert "What shall the bucket be called?" in (await chat.say("create a new bucket")).text
    await chat.say("finance")
    assert chat.rows("SELECT 1 FROM kai_buckets WHERE id='in.c-finance'")


async def test_a_description_is_set(chat: Chatter) -> None:
    await chat.say("Set the description of the customers table to All our customers, Retail to Wholesale")
    assert chat.asked[0].input == {
        "updates": [
            {
                "item_id": "in.c-crm.customers",
                "description": "All our customers, Retail to Wholesale",
            }
        ]
    }
    assert chat.rows("SELECT description FROM kai_tables WHERE id='in.c-crm.customers'") == [
        ("All our customers, Retail to Wholesale",)
    ]


async def test_the_first_bucket_gets_a_proposal(chat: Chatter) -> None:
    answer = await chat.say("Update the description of the first bucket")
    new = chat.rows("SELECT description FROM kai_buckets WHERE id='in.c-crm'")[0][0]
    assert "96 rows" in new
    assert f"> {new}" in answer.text
    assert "I propose one" in answer.text


@pytest.mark.parametrize(
    ("sentence", "item"),
    [
        (
            "set the description of the segment column of the customers table to x",
            "in.c-crm.customers.segment",
        ),
        ("describe in.c-shop as x", "in.c-shop"),
        ("Change the description of the shop bucket to x", "in.c-shop"),
    ],
)
async def test_other_descriptions(chat: Chatter, sentence: str, item: str) -> None:
    await chat.say(sentence)
    assert chat.asked[0].input == {"updates": [{"item_id": item, "description": "x"}]}


async def test_the_crm_job_runs(chat: Chatter) -> None:
    before = chat.rows('SELECT count(*) FROM "in.c-crm.customers"')[0][0]
    answer = await chat.say("Run the CRM job")
    assert tools(answer)[:3] == ["get_configs", "get_flows", "run_job"]
    assert chat.asked[0].input == {"component_id": "kds-team.ex-hubspot-crm", "configuration_id": "4101"}
    assert "ended well" in answer.text
    assert chat.rows('SELECT count(*) FROM "in.c-crm.customers"')[0][0] == before + 3


async def test_the_crm_job_does_not_run_after_a_no(chat: Chatter) -> None:
    jobs = chat.rows("SELECT count(*) FROM kai_jobs")
    answer = await chat.say("Run the CRM job", lambda _call: False)
    assert chat.rows("SELECT count(*) FROM kai_jobs") == jobs
    assert "You said no, so no job was started" in answer.text


async def test_a_broken_job_can_be_mended(chat: Chatter) -> None:
    assert "expired" in (await chat.say("Which jobs failed?")).text
    assert "failed" in (await chat.say("Run the Support desk job")).text
    await chat.say("Set #api_token of the Support desk to new-token")
    assert "ended well" in (await chat.say("Run the Support desk job")).text


async def test_sql_is_written_and_tried(chat: Chatter) -> None:
    answer = await chat.say("Write SQL for orders by region")
    assert "```sql\nSELECT o.region AS region" in answer.text
    assert tools(answer) == ["get_tables", "query_data"]


async def test_written_sql_becomes_a_transformation_that_works(chat: Chatter) -> None:
    await chat.say("Write SQL for orders by region")
    await chat.say("Save that as a transformation called Regions")
    assert "Written: out.c-regions.regions" in (await chat.say("Run the Regions transformation")).text
    assert len(chat.rows('SELECT * FROM "out.c-regions.regions"')) == 4


async def test_more_about_that(chat: Chatter) -> None:
    assert "More about what?" in (await chat.say("Tell me more about that")).text
    await chat.say("Which region sold most?")
    await chat.say("What did I just say?")
    answer = await chat.say("Tell me more about that")
    assert answer.text.startswith("More about *sales by region*.")
    await chat.say("What tables do I have?")
    assert "`customer_id` TEXT" in (await chat.say("more")).text


async def test_what_was_said(chat: Chatter) -> None:
    assert "first message" in (await chat.say("What did I just say?")).text
    await chat.say("Which region sold most?")
    assert (await chat.say("What did I just say?")).text == "You just said:\n\n> Which region sold most?"


async def test_names(chat: Chatter) -> None:
    assert "not told me your name" in (await chat.say("What is my name?")).text
    assert "Ada" in (await chat.say("My name is Ada")).text
    await chat.say("List flows")
    assert "Your name is **Ada**" in (await chat.say("What is my name?")).text


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("What is 2 + 2?", "4"),
        ("12*(3+4)", "84"),
        ("what is 10% of 250", "25"),
        ("how much is 7 divided by 2", "3.5"),
        ("2^10", "1,024"),
        ("1,000 times 3", "3,000"),
        ("9**99999", None),
        ("42", None),
        ("(" * 500 + "1" + ")" * 500, None),
    ],
)
def test_sums(asked: str, answer: str | None) -> None:
    found = sum_of(asked)
    assert (found[1] if found is not None else None) == answer


async def test_two_and_two(chat: Chatter) -> None:
    assert "**4**" in (await chat.say("What is 2 + 2?")).text


@pytest.mark.parametrize(
    "sentence",
    ["blorp the fnord", "What is the capital of France?", "Jaké mám tabulky?", "with which tools"],
)
async def test_anything_else_is_admitted(chat: Chatter, sentence: str) -> None:
    answer = await chat.say(sentence)
    assert "I did not understand that. I am a **rule-based stand-in**" in answer.text
    assert "```next_actions\n- " in answer.text


@pytest.mark.some(15)
@pytest.mark.parametrize(
    ("sentence", "tool"),
    [
        ("show buckets", "get_buckets"),
        ("what buckets do I have?", "get_buckets"),
        ("how many orders", "search"),
        ("how many orders last month", "query_data"),
        ("list flows", "get_flows"),
        ("Show me the flows please", "get_flows"),
        ("failed jobs", "get_jobs"),
        ("recent jobs", "get_jobs"),
        ("job 30005", "get_jobs"),
        ("list my configurations", "get_configs"),
        ("what project is this?", "get_project_info"),
        ("What is a bucket?", "docs_query"),
        ("how do I schedule a flow", "docs_query"),
        ("Top 5 products last month", "query_data"),
        ("sales by month", "query_data"),
        ("average order value in the West", "query_data"),
        ("Which products are out of stock?", "query_data"),
        ("describe the orders table", "search"),
        ("Hey Kai, could you please show me the customers table?", "search"),
    ],
)
async def test_natural_variants(chat: Chatter, sentence: str, tool: str) -> None:
    answer = await chat.say(sentence)
    assert tools(answer)[0] == tool
    assert all(call.state == "output-available" for call in answer.tool_calls())
    assert not answer.faults
    assert "did not understand" not in answer.text


def test_every_suggestion_of_the_help_is_understood() -> None:
    for sentence in (
        "Top 5 products last month",
        "Show me the orders table",
        "List my configurations",
        "/demo",
    ):
        assert understand(sentence, Talk(sentence)).script is not fallback


def test_long_and_odd_texts_are_answered_at_once() -> None:
    for text in (
        "a" * 100_000,
        "show me " * 10_000,
        "the " * 20_000 + "bucket",
        "\ud83d",
        " \n\t x",
        "((((" * 5_000,
    ):
        assert understand(text, Talk(text)) is not None
