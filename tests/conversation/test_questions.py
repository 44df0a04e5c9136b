"""Calls that ask: read where their shape is known, calls like any other where it is not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.conversation.questions import Offered, Question, answers, besides, in_words, questions

OURS = {
    "questions": [
        {"id": "period", "question": "Which period?", "options": ["last month", "this year"]},
        {"id": "name", "question": "What shall it be called?"},
    ]
}
SDK = {
    "questions": [
        {
            "question": "Which sections?",
            "header": "Sections",
            "options": [
                {"label": "Introduction", "description": "What it is about"},
                {"label": "Figures", "description": ""},
            ],
            "multiSelect": True,
        }
    ]
}


def test_both_known_shapes_are_read() -> None:
    assert questions("ask_user", OURS) == [
        Question("period", "Which period?", (Offered("last month"), Offered("this year"))),
        Question("name", "What shall it be called?"),
    ]
    assert questions("AskUserQuestion", SDK) == [
        Question(
            "Which sections?",
            "Which sections?",
            (Offered("Introduction", "What it is about"), Offered("Figures")),
            many=True,
            joined=True,
            header="Sections",
        )
    ]


@pytest.mark.parametrize(
    "tool", ["ask_user", "mcp__kai__ask_user_questions", "AskUserQuestion", "askQuestions", "clarify"]
)
def test_tools_that_do_nothing_but_ask(tool: str) -> None:
    assert questions(tool, OURS)


@pytest.mark.parametrize(
    "tool",
    [
        "create_survey",
        "create_survey_questions",
        "task_user",
        "delete_user",
        "user",
        "ask_user_and_delete",
        "mask_user",
        "",
    ],
)
def test_a_tool_that_may_do_more_is_a_call_like_any_other(tool: str) -> None:
    assert questions(tool, OURS) == []


@pytest.mark.parametrize(
    "input",
    [
        None,
        [],
        "text",
        {},
        {"questions": []},
        {"questions": ["x"]},
        {"questions": [{"id": "a"}]},
        {"questions": [{"question": "?", "options": [{"nothing": 1}]}]},
        {"questions": [{"question": "?", "options": ["a", "a"]}]},
        {"questions": [{"question": "?", "options": "a"}]},
        {"questions": [{"question": "?"}, {"question": "?"}]},
        {"questions": [{"question": "?"}], "table": "in.c-crm.customers"},
        {"questions": [{"question": "?"}] * 51},
    ],
)
def test_what_is_not_understood_is_a_call_like_any_other(input: Any) -> None:
    assert questions("ask_user", input) == []


def test_answers_have_the_names_of_their_questions() -> None:
    asked = questions("ask_user", OURS)
    assert answers(asked, {"name": ["Sales | west"], "period": ["last month"]}) == {
        "period": "last month",
        "name": "Sales | west",
    }
    assert answers(asked, {"name": ["  "], "period": []}) == {}


def test_several_answers_go_as_the_server_takes_them() -> None:
    both = {"Which sections?": ["Introduction", "Figures"]}
    assert answers(questions("AskUserQuestion", SDK), both) == {"Which sections?": "Introduction, Figures"}
    many = Question("s", "Which?", (Offered("a"), Offered("b")), many=True)
    assert answers([many], {"s": ["a", "b"]}) == {"s": ["a", "b"]}


def test_where_answers_cannot_go_they_are_the_reason_of_a_no() -> None:
    said = in_words(questions("ask_user", OURS), {"period": "this year", "name": "x"})
    assert said.endswith("- Which period? this year\n- What shall it be called? x")


def test_what_the_form_does_not_show_is_told_apart() -> None:
    assert besides(OURS) == {}
    assert besides(SDK) == {}
    odd = {
        "questions": [
            {
                "id": "a",
                "name": "b",
                "question": "?",
                "text": "!",
                "multiSelect": "yes",
                "options": ["x", {"label": "y", "value": "rm -rf /", "description": "z"}],
            }
        ],
        "title": "T",
    }
    assert questions("ask_user", odd)
    assert besides(odd) == {
        "questions[0].name": "b",
        "questions[0].text": "!",
        "questions[0].multiSelect": "yes",
        "questions[0].options[1].value": "rm -rf /",
        "title": "T",
    }


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["questions", "question", "id", "options", "label"]), inner, max_size=4
        )
    ),
    max_leaves=15,
)


@given(_JSON)
def test_no_input_is_too_odd(value: Any) -> None:
    for asked in (questions("ask_user", value), questions("ask_user", {"questions": [value]})):
        if asked:
            besides(value if isinstance(value, dict) and "questions" in value else {"questions": [value]})
        keys = [each.key for each in asked]
        assert len(set(keys)) == len(keys)
