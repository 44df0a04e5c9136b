"""What would undo a change, worked out beside the chat: the version before wins, and nothing ever waits for long."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from kai_tui.backends.base import BackendError, CannotConnect, NotFound
from kai_tui.conversation.inverses import Inverse, NoInverse, version_before
from kai_tui.conversation.messages import Message, ToolPart
from kai_tui.conversation.reviews.review import ObjectRef
from kai_tui.services import undoing
from kai_tui.services.undoing import newest_change, what_undoes
from tests.conversation.test_inverses import CONFIG, IDS, call
from tests.services.test_jobs import House, house  # noqa: F401 - a fixture
from tests.ui.transcript.chat_source import answer, tool

CHANGE = tool(
    "update_config",
    input={**IDS, "parameter_updates": [{"op": "set", "path": "db.host", "value": "new"}]},
    output={"version": 5, "success": True},
)


@dataclass
class Versions:
    """A project that knows one version, or fails."""

    found: Any
    asked: list[tuple[ObjectRef, int]] = field(default_factory=list)

    async def version(self, of: ObjectRef, version: int) -> Any:
        self.asked.append((of, version))
        if isinstance(self.found, BackendError):
            raise self.found
        return self.found


def chat(house: House, *parts: dict[str, Any]) -> Any:  # noqa: F811
    session = house.enter(None).chats.new_chat()
    session.messages += [Message.user("u", "Change it"), answer(*parts)]
    return session


def only_call(session: Any) -> ToolPart:
    return session.messages[-1].tool_calls()[-1]


async def test_the_version_before_is_surer_than_what_the_chat_showed(house: House) -> None:  # noqa: F811
    seen = {**CONFIG, "parameters": {"db": {"host": "long ago"}}}
    pair = [{"component_id": IDS["component_id"], "configuration_id": "4101"}]
    session = chat(house, tool("get_configs", input={"configs": pair}, output={"configs": [seen]}), CHANGE)
    project = Versions(CONFIG)

    async def there() -> Any:
        return project

    found = await what_undoes(session, only_call(session), there)
    assert isinstance(found, Inverse)
    assert 'set parameters.db.host back to "old.example"' in found.message
    assert project.asked == [(ObjectRef("configuration", "keboola.ex-db-mysql/4101"), 4)]

    async def nowhere() -> Any:
        return None

    found = await what_undoes(session, only_call(session), nowhere)
    assert isinstance(found, Inverse)
    assert 'set parameters.db.host back to "long ago"' in found.message


@pytest.mark.parametrize("trouble", [NotFound("no"), CannotConnect("no")])
async def test_a_project_that_cannot_say_leaves_what_is_known(house: House, trouble: BackendError) -> None:  # noqa: F811
    session = chat(house, CHANGE)

    async def there() -> Any:
        return Versions(trouble)

    found = await what_undoes(session, only_call(session), there)
    assert isinstance(found, Inverse)
    assert "as it was in version 4" in found.message


async def test_a_project_that_is_silent_is_not_waited_for(
    house: House,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import asyncio

    session = chat(house, CHANGE)
    monkeypatch.setattr(undoing, "PATIENCE", 0.01)

    async def never() -> Any:
        await asyncio.Event().wait()

    assert isinstance(await what_undoes(session, only_call(session), never), Inverse)


async def test_what_the_user_denied_is_not_undone_and_the_switch_is_named(house: House) -> None:  # noqa: F811
    session = chat(house, {**CHANGE, "state": "output-error", "errorText": "denied"}, CHANGE)

    async def nowhere() -> Any:
        return None

    session.switch_read_only(True)
    found = await what_undoes(session, only_call(session), nowhere)
    assert isinstance(found, Inverse)
    assert any("read-only switch" in each for each in found.cautions)
    session._ledger["call-1", ""] = False
    found = await what_undoes(session, only_call(session), nowhere)
    assert found == NoInverse("You denied this call. It changed nothing.")


def test_the_newest_change_is_found(house: House) -> None:  # noqa: F811
    session = chat(house, CHANGE, tool("get_tables", input={}, output={}), tool("run_job", "input-available"))
    found = newest_change(session)
    assert found is not None
    assert found.tool_name == "update_config"
    assert newest_change(chat(house, tool("get_tables", input={}, output={}))) is None


@pytest.mark.parametrize(
    ("name", "given", "of"),
    [
        (
            "update_config_row",
            {**IDS, "configuration_row_id": "r"},
            ("configuration", "keboola.ex-db-mysql/4101"),
        ),
        ("update_sql_transformation", {"configuration_id": "8"}, ("configuration", "8")),
        ("modify_flow", {"configuration_id": "9", "flow_type": "keboola.flow"}, ("flow", "keboola.flow/9")),
        ("update_flow", {"configuration_id": "9"}, ("flow", "9")),
        ("modify_streamlit_data_app", {"configuration_id": "5"}, ("data app", "5")),
    ],
)
def test_which_version_of_what_was_there_before(name: str, given: Any, of: tuple[Any, str]) -> None:
    assert version_before(call(name, given, {"version": 3})) == (ObjectRef(*of), 2)
    for version in (1, 0, True, "3", None):
        assert version_before(call(name, given, {"version": version})) is None
    assert version_before(call("create_config", given, {"version": 3})) is None
    assert version_before(call(name, {}, {"version": 3})) is None
