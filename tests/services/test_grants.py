"""What was allowed for a while: what it decides, how it ends, and what it can never decide (T20)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from kai_tui.conversation.approvals import decision_digest
from kai_tui.conversation.reviews.review import ObjectRef, Present, Wanted
from kai_tui.conversation.reviews.reviewing import wanted as wanted_of
from kai_tui.conversation.safe_text import Pairs
from kai_tui.services.approval_service import Approval, ApprovalService, Decision
from kai_tui.services.grant_words import span_words
from kai_tui.services.grants import Grants, GrantsEnded, GrantTerms
from kai_tui.services.standing_rules import StandingRules
from kai_tui.services.wake import SleepWatch
from tests.services.scripted_backend import until
from tests.ui.fakes import Clock

TOOL = "update_config"
ANY = GrantTerms(TOOL)


def question(call: str = "call-1", **changes: object) -> Approval:
    from tests.ui.fakes import approval

    given = {"component_id": "keboola.ex-http", "configuration_id": "7", "change_description": "why"}
    fields: dict[str, object] = {
        "tool_call_id": call,
        "approval_id": None,
        "tool_name": TOOL,
        "title": "Update a configuration",
        "input": given,
        "risk": "changes",
        "account_id": "account",
        "digest": f"digest of {call}",
    }
    return approval(**(fields | changes))


class Story:
    """A queue with the user's rules, and what was decided in it."""

    def __init__(self) -> None:
        self.clock, self.wall = Clock(), Clock()
        watch = SleepWatch(wall=self.wall, monotonic=self.clock)
        self.grants = Grants(clock=self.clock, sleep_watch=watch)
        self.switched: set[str] = set()
        self.service = ApprovalService()
        self.service.policy = StandingRules(self.grants, self.switched.__contains__)
        self.service.on_granted = self._granted
        self.ended: list[GrantsEnded] = []
        self.grants.observe(self._changed)
        self.made: list[tuple[str, Decision]] = []

    def _granted(self, approval: Approval, terms: GrantTerms) -> None:
        self.grants.give(approval, terms)
        self.service.reconsider()

    def _changed(self, ended: GrantsEnded | None) -> None:
        if ended is not None:
            self.ended.append(ended)
            if not ended.used_up:
                self.service.reconsider()

    def pass_time(self, seconds: float) -> None:
        self.clock.now += seconds
        self.wall.now += seconds

    def ask(self, call: str = "call-1", **changes: object) -> Approval:
        asked = question(call, **changes)
        self.service.ask(asked, lambda each, decision: self.made.append((each.tool_call_id, decision)))
        return asked

    @property
    def waiting(self) -> list[str]:
        return [each.tool_call_id for each in self.service.pending]

    async def allow(self, terms: GrantTerms = ANY, **changes: object) -> None:
        """The user approves a call and further ones like it."""
        asked = self.ask("first", **changes)
        assert self.waiting == ["first"]
        assert self.service.decide(asked, Decision(True, grant=terms))
        self.made.clear()

    async def decided(self, count: int = 1) -> None:
        await until(lambda: len(self.made) == count)


async def rounds() -> None:
    """Let the loop go round: what is to be answered soon is answered then."""
    for _ in range(3):
        await asyncio.sleep(0)


@pytest.fixture
async def story() -> Story:
    return Story()


async def test_a_call_like_the_allowed_one_is_approved_and_says_by_which_rule(story: Story) -> None:
    await story.allow(GrantTerms(TOOL, minutes=10, calls=5))
    story.ask()
    assert story.waiting == []
    await story.decided()
    assert story.made == [
        (
            "call-1",
            Decision(True, by="grant", rule="You allowed this for 10 minutes, at most 5 calls: call 1 of 5."),
        )
    ]


async def test_nothing_is_allowed_without_a_grant(story: Story) -> None:
    story.ask()
    assert story.waiting == ["call-1"]


@pytest.mark.parametrize(
    "changes",
    [
        {"tool_name": "update_flow"},
        {"tool_name": "update_config\u200b"},
        {"chat_id": "another"},
        {"account_id": "another"},
        {"branch": "dev (12)"},
        {"host": "other.test"},
        {"note": "This request changed since you saw it."},
        {"has_input": False, "input": None},
        {"input": "text"},
        {"input": Pairs([("configuration_id", "7"), ("configuration_id", "8")])},
        {"input": {"configuration_id": "7\u202e"}},
        {"input": {"configuration_id": 2**60}},
        {"wants": "value"},
    ],
    ids=str,
)
async def test_what_the_grant_is_not_for_is_asked(story: Story, changes: dict[str, object]) -> None:
    await story.allow(GrantTerms(TOOL, chat_id="chat"))
    story.ask(**changes)
    assert story.waiting == ["call-1"]


async def test_a_grant_for_the_account_holds_in_other_chats(story: Story) -> None:
    await story.allow(ANY)
    story.ask(chat_id="another")
    await story.decided()


@pytest.mark.parametrize(
    ("tool", "risk"),
    [
        ("delete_python_js_data_app_draft", "changes"),
        ("deploy_data_app", "creates"),
        ("frobnicate", "unknown"),
        ("create_python_js_data_app_git_credential", "creates"),
        ("request_credentials", "unknown"),
    ],
)
async def test_destroying_deploying_and_unknown_tools_are_never_allowed(story: Story, tool, risk) -> None:
    await story.allow(GrantTerms(tool), tool_name=tool, risk=risk, input={"configuration_id": "7"})
    assert not story.grants.active
    story.ask(tool_name=tool, risk=risk, input={"configuration_id": "7"})
    assert story.waiting == ["call-1"]


@pytest.mark.parametrize(
    "terms",
    [
        GrantTerms("update_flow"),
        GrantTerms(TOOL, chat_id="another"),
        GrantTerms(TOOL, minutes=0),
        GrantTerms(TOOL, calls=0),
        GrantTerms(TOOL, of=ObjectRef("table", "in.c-crm.customers")),
    ],
)
async def test_terms_that_are_not_about_the_approved_call_allow_nothing(story: Story, terms) -> None:
    await story.allow(terms)
    assert not story.grants.active


async def test_only_calls_about_the_object_are_covered(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    from kai_tui.conversation.reviews import reviewing
    from kai_tui.conversation.reviews.review import Review

    def review(tool: str, input: dict[str, str], **_: object) -> Review:
        about = ObjectRef("configuration", f"{input['component_id']}/{input['configuration_id']}")
        return Review("Update it", ("changes",), (about,), cautions=tuple(input.get("warn", ())))

    monkeypatch.setattr(reviewing, "review", review)
    about = ObjectRef("configuration", "keboola.ex-http/7")
    await story.allow(GrantTerms(TOOL, of=about))
    story.ask("other", input={"component_id": "keboola.ex-http", "configuration_id": "8"})
    story.ask("same")
    await story.decided()
    assert story.waiting == ["other"]
    assert [call for call, _ in story.made] == ["same"]


async def test_a_warning_the_user_did_not_see_is_asked_about(story: Story, monkeypatch) -> None:
    from kai_tui.conversation.reviews import reviewing
    from kai_tui.conversation.reviews.review import Review

    def review(tool: str, input: dict[str, str], **_: object) -> Review:
        return Review("Update it", ("changes",), cautions=(input["configuration_id"],))

    monkeypatch.setattr(reviewing, "review", review)
    await story.allow(ANY)
    story.ask("another warning", input={"configuration_id": "DELETE without WHERE"})
    story.ask("the same warning")
    await story.decided()
    assert story.waiting == ["another warning"]


# How it ends


async def test_calls_are_counted_when_they_are_asked_not_when_they_are_answered(story: Story) -> None:
    await story.allow(GrantTerms(TOOL, calls=2))
    for number in range(4):
        story.ask(f"call-{number}")
    assert story.waiting == ["call-2", "call-3"]
    await story.decided(2)
    assert [decision.rule for _, decision in story.made] == [
        "You allowed this for 2 calls: call 1 of 2.",
        "You allowed this for 2 calls: call 2 of 2.",
    ]
    assert [(each.used_up, each.why) for each in story.ended] == [(True, "its calls are used up")]


async def test_the_same_call_told_of_twice_counts_once(story: Story) -> None:
    await story.allow(GrantTerms(TOOL, calls=2))
    story.ask()
    story.ask(approval_id="now with an id", digest="another")
    await story.decided()
    assert [grant.used for grant in story.grants.active] == [1]


async def test_a_call_whose_input_changed_is_asked(story: Story) -> None:
    await story.allow(ANY)
    story.ask()
    story.ask(digest="another", input={"configuration_id": "8"})
    assert story.waiting == ["call-1"]


async def test_a_call_that_was_answered_already_is_asked(story: Story) -> None:
    await story.allow(ANY)
    story.ask()
    await story.decided()
    story.ask()
    assert story.waiting == ["call-1"]


async def test_a_call_that_was_withdrawn_and_comes_again_is_asked(story: Story) -> None:
    await story.allow(ANY)
    story.ask()
    story.service.withdraw("chat")
    story.ask()
    assert story.waiting == ["call-1"]
    assert story.made == []


async def test_it_ends_when_its_time_is_over(story: Story) -> None:
    await story.allow(GrantTerms(TOOL, minutes=10))
    story.pass_time(599)
    story.ask("in time")
    await story.decided()
    story.pass_time(1)
    story.ask("late")
    assert story.waiting == ["late"]
    assert [each.why for each in story.ended] == ["its time is over"]


async def test_it_ends_by_itself_when_nothing_is_asked(story: Story) -> None:
    await story.allow(GrantTerms(TOOL, minutes=0.001))
    story.pass_time(1)
    await until(lambda: story.ended)
    assert not story.grants.active


async def test_it_ends_by_sleep_although_the_clock_stood_still(story: Story) -> None:
    await story.allow(GrantTerms(TOOL, minutes=10))
    story.wall.now += 3600
    story.ask()
    assert story.waiting == ["call-1"]
    assert [each.why for each in story.ended] == ["the computer slept"]


@pytest.mark.parametrize("how", ["revoke_all", "revoke", "end"])
async def test_taken_back_it_decides_nothing_more(story: Story, how: str) -> None:
    await story.allow(ANY)
    ending: dict[str, Callable[[], object]] = {
        "revoke_all": story.grants.revoke_all,
        "revoke": lambda: story.grants.revoke(story.grants.active[0].number),
        "end": lambda: story.grants.end("the account was left"),
    }
    ending[how]()
    story.ask()
    assert story.waiting == ["call-1"]
    assert [each.by_user for each in story.ended] == [how != "end"]


async def test_taken_back_between_the_call_and_its_answer_the_user_is_asked(story: Story) -> None:
    await story.allow(GrantTerms(TOOL, calls=1))
    story.ask()
    story.grants.revoke_all()
    assert story.waiting == ["call-1"]
    await rounds()
    assert story.made == []


# Several calls of one message


async def test_what_was_allowed_waits_for_what_is_asked_when_they_are_answered_together(story: Story) -> None:
    await story.allow(ANY)
    story.ask("allowed", together=True)
    asked = story.ask("asked", together=True, tool_name="frobnicate", risk="unknown")
    await rounds()
    assert story.made == []
    assert story.waiting == ["asked"]
    ((beside, decision),) = story.service.ruled("chat", asked.message_id)
    assert (beside.tool_call_id, decision.by) == ("allowed", "grant")
    assert story.service.decide(asked, Decision(False))
    await story.decided(2)
    assert {call: decision.approved for call, decision in story.made} == {"asked": False, "allowed": True}
    assert not story.service.ruled("chat")


@pytest.mark.parametrize("how", ["revoked", "over"])
async def test_what_waited_too_long_for_the_others_is_asked_after_all(story: Story, how: str) -> None:
    await story.allow(GrantTerms(TOOL, minutes=10))
    story.ask("allowed", together=True)
    asked = story.ask("asked", together=True, tool_name="frobnicate", risk="unknown")
    if how == "revoked":
        story.grants.revoke_all()
    else:
        story.pass_time(601)
    assert story.service.decide(asked, Decision(True))
    await until(lambda: story.waiting == ["allowed"])
    assert [call for call, _ in story.made] == ["asked"]


async def test_calls_of_another_message_do_not_wait(story: Story) -> None:
    await story.allow(ANY)
    story.ask("asked", together=True, message_id="other", tool_name="frobnicate", risk="unknown")
    story.ask("allowed", together=True)
    await story.decided()


async def test_a_grant_decides_what_waits_and_was_never_asked_before(story: Story) -> None:
    first = story.ask("first")
    story.ask("second")
    story.ask("odd", note="Your first answer did not arrive.")
    assert story.service.decide(first, Decision(True, grant=ANY))
    assert story.waiting == ["odd"]
    await story.decided(2)
    assert [call for call, _ in story.made] == ["first", "second"]


async def test_a_no_grants_nothing(story: Story) -> None:
    first = story.ask("first")
    assert story.service.decide(first, Decision(False, grant=ANY))
    assert not story.grants.active


# The read-only switch


async def test_the_switch_denies_what_writes_and_no_grant_beats_it(story: Story) -> None:
    await story.allow(ANY)
    story.switched.add("chat")
    story.ask("write")
    story.ask("unknown", tool_name="frobnicate", risk="unknown")
    story.ask("read", tool_name="query_data", risk="reads")
    assert story.waiting == ["read"]
    await story.decided(2)
    assert [(call, each.approved, each.by) for call, each in story.made] == [
        ("write", False, "read-only switch"),
        ("unknown", False, "read-only switch"),
    ]
    assert all("read-only" in (each.reason or "") for _, each in story.made)
    assert [grant.used for grant in story.grants.active] == [0]


async def test_the_switch_turned_on_before_the_answer_goes_out_wins(story: Story) -> None:
    await story.allow(ANY)
    story.ask()
    story.switched.add("chat")
    await until(lambda: story.waiting)
    assert story.made == []


async def test_a_question_that_is_asked_again_cannot_be_approved_under_the_switch(story: Story) -> None:
    story.switched.add("chat")
    asked = story.ask(note="Your first answer did not arrive.")
    assert story.waiting == ["call-1"]
    assert story.service.forbidden(asked) is not None
    assert not story.service.decide(asked, Decision(True))
    assert story.service.decide(asked, Decision(False))


async def test_other_chats_are_not_switched(story: Story) -> None:
    story.switched.add("another")
    asked = story.ask()
    assert story.service.forbidden(asked) is None
    assert story.service.decide(asked, Decision(True))


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        (GrantTerms(TOOL), "until you leave"),
        (GrantTerms(TOOL, calls=1), "for 1 call"),
        (GrantTerms(TOOL, minutes=1), "for 1 minute"),
        (GrantTerms(TOOL, minutes=10.0, calls=5), "for 10 minutes, at most 5 calls"),
    ],
)
def test_how_long_it_holds_in_words(terms: GrantTerms, words: str) -> None:
    assert span_words(terms) == words


async def test_a_danger_that_shows_only_against_the_present_value_is_asked_about(story: Story) -> None:
    """A replaced piece of SQL says nothing by itself; in its place it makes a DELETE."""
    about = ObjectRef("configuration", "keboola.snowflake-transformation/7")
    present = {
        "parameters": {"blocks": [{"name": "B", "codes": [{"name": "C", "script": ["KEEP FROM orders"]}]}]}
    }
    known: dict[Wanted, Present] = {}
    story.grants._presents = lambda _: known
    tool = "update_sql_transformation"

    def replacing(old: str, new: str) -> dict[str, object]:
        edit = {"op": "str_replace", "search_for": old, "replace_with": new}
        return {"configuration_id": "7", "change_description": "why", "parameter_updates": [edit]}

    await story.allow(GrantTerms(tool), tool_name=tool, input=replacing("orders", "orders o"))
    assert story.grants.active
    for wanted in wanted_of(tool, replacing("a", "b")):
        known[wanted] = Present(present, "chat")
    assert known, about
    story.ask("harmless", tool_name=tool, input=replacing("orders", "customers"))
    story.ask("harmful", tool_name=tool, input=replacing("KEEP", "DELETE"))
    await story.decided()
    assert story.waiting == ["harmful"]


async def test_a_grant_approves_nothing_that_the_user_decided_on_and_did_not_send_yet(story: Story) -> None:
    """In the list of all questions a No may wait for the others of its message: it is not turned into a yes."""
    no, _, first = story.ask("no"), story.ask("beside"), story.ask("first")
    story.service.reserved = {no.key}
    assert not story.service.is_fresh(no)
    assert story.service.decide(first, Decision(True, grant=ANY))
    assert story.waiting == ["no"]
    await story.decided(2)
    assert [call for call, _ in story.made] == ["first", "beside"]
    story.service.reconsider()
    await rounds()
    assert story.waiting == ["no"]
    story.switched.add("chat")
    story.service.reconsider()
    await story.decided(3)
    assert story.made[-1][1].by == "read-only switch"


async def test_what_an_edit_makes_of_a_call_is_what_the_switch_looks_at(story: Story) -> None:
    """A query becomes one that deletes: in a chat that is switched to read-only it cannot be approved."""
    story.switched.add("chat")
    asked = story.ask(
        tool_name="query_data", input={"sql_query": "SELECT 1", "query_name": "q"}, risk="reads", edits=True
    )
    assert story.waiting == ["call-1"]
    value = {"sql_query": "DELETE FROM orders", "query_name": "q"}
    decision = Decision(True, updated_input=value, shown=decision_digest(asked.digest, value, None))
    assert not story.service.stands(asked, decision)
    assert not story.service.decide(asked, decision)
    assert story.made == []
