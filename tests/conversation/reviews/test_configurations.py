"""Reviews of making and changing configurations and their rows."""

from typing import Any

from kai_tui.conversation.reviews.review import (
    Code,
    Grid,
    ObjectRef,
    PathChange,
    PathChanges,
    Present,
    Review,
    TextChange,
    Wanted,
    Words,
)
from kai_tui.conversation.reviews.reviewing import review, wanted

CONFIG = ObjectRef("configuration", "keboola.ex-db-mysql/7001")
NOW: dict[str, Any] = {
    "name": "Customers",
    "description": "From the shop",
    "configuration": {
        "parameters": {
            "db": {"host": "old.example", "port": 3306, "#password": "KBC::ProjectSecure::abc"},
            "tables": ["orders", "customers"],
            "query": "SELECT *\nFROM orders",
            "verbose": True,
        },
        "storage": {
            "input": {"tables": [{"source": "in.c-crm.orders", "destination": "orders.csv"}]},
            "output": {"tables": [{"source": "a.csv", "destination": "out.c-x.a", "incremental": True}]},
        },
    },
    "rows": [
        {"id": "11", "name": "Orders", "configuration": {"parameters": {"limit": 5}}, "isDisabled": False}
    ],
}


def known(value: Any = NOW, of: ObjectRef = CONFIG) -> dict[Wanted, Present]:
    return {Wanted("configuration", of): Present(value, "project", 1.0)}


def update(**arguments: Any) -> dict[str, Any]:
    return {
        "change_description": "why",
        "component_id": "keboola.ex-db-mysql",
        "configuration_id": "7001",
        **arguments,
    }


def changes(seen: Review) -> list[PathChange]:
    return [change for block in seen.blocks if isinstance(block, PathChanges) for change in block.changes]


def grids(seen: Review) -> dict[str, Grid]:
    return {block.title: block for block in seen.blocks if isinstance(block, Grid)}


def words(seen: Review) -> str:
    return "\n".join(block.text for block in seen.blocks if isinstance(block, Words))


def test_operations_are_shown_as_what_will_be_there() -> None:
    given = update(
        parameter_updates=[
            {"op": "set", "path": "db.host", "value": "new.example"},
            {"op": "remove", "path": "$.verbose"},
            {"op": "list_append", "path": "tables", "value": "visits"},
            {"op": "set", "path": "db.ssl.mode", "value": "on"},
            {"op": "str_replace", "path": "query", "search_for": "orders", "replace_with": "visits"},
        ]
    )
    seen = review("update_config", given, presents=known())
    assert seen.sentence == "Change configuration 7001 of keboola.ex-db-mysql"
    assert (seen.effects, seen.objects, seen.reason) == (("changes",), (CONFIG,), "why")
    assert changes(seen) == [
        PathChange("db.host", "sets", "old.example", True, "new.example"),
        PathChange("db.ssl", "adds", None, True, {"mode": "on"}),
        PathChange("tables", "appends", None, True, "visits"),
        PathChange("verbose", "removes", True, True),
    ]
    texts = [block for block in seen.blocks if isinstance(block, TextChange)]
    assert [(text.title, text.before, text.after, text.language) for text in texts] == [
        ("query", "SELECT *\nFROM orders", "SELECT *\nFROM visits", "sql")
    ]
    assert texts[0].present is not None
    assert texts[0].present.source == "project"


def test_without_a_present_value_the_operations_are_listed() -> None:
    given = update(
        parameter_updates=[
            {"op": "set", "path": "$.db.host", "new_val": "new.example"},
            {"op": "remove", "path": "verbose"},
            {"op": "str_replace", "path": "query", "search_for": "orders", "replace_with": "visits"},
            {"op": "list_append", "path": "tables", "value": {"#token": "plain"}},
        ]
    )
    seen = review("update_config", given)
    assert changes(seen) == [
        PathChange("db.host", "sets", None, False, "new.example"),
        PathChange("verbose", "removes"),
        PathChange("query", "replaces text", "orders", False, "visits"),
        PathChange("tables", "appends", None, False, {"#token": "•••"}),
    ]
    assert list(wanted("update_config", given)) == [
        Wanted("configuration", CONFIG),
        Wanted("preview", CONFIG),
    ]


def test_what_cannot_be_worked_out_says_why_and_lists_the_operations() -> None:
    for operation, why in [
        ({"op": "remove", "path": "nothing.here"}, "There is nothing at nothing.here now."),
        ({"op": "list_append", "path": "db", "value": 1}, "db is no list now."),
        ({"op": "set", "path": "tables[?(@=='orders')]", "value": 1}, "is more than a plain path."),
        ({"op": "set", "path": "tables[7]", "value": 1}, "There is nothing at tables[7] now."),
        (
            {"op": "str_replace", "path": "query", "search_for": "zzz", "replace_with": ""},
            "is not in query now.",
        ),
        ({"op": "turn", "path": "db"}, "turn is not known."),
    ]:
        seen = review("update_config", update(parameter_updates=[operation]), presents=known())
        assert why in words(seen)
        assert len(changes(seen)) == 1
        assert not changes(seen)[0].known


def test_the_servers_own_preview_is_believed_before_our_own_working_out() -> None:
    after = {"parameters": {"db": {"host": "as the server says"}}}
    shown = {
        "originalConfig": {"parameters": {"db": {"host": "old.example"}}},
        "updatedConfig": after,
        "isValid": False,
        "validationErrors": ["port is missing"],
    }
    presents = known() | {Wanted("preview", CONFIG): Present(shown, "preview")}
    given = update(parameter_updates=[{"op": "set", "path": "db.host", "value": "new.example"}])
    seen = review("update_config", given, presents=presents)
    assert changes(seen) == [PathChange("db.host", "sets", "old.example", True, "as the server says")]
    assert "The server says it would refuse this: port is missing." in seen.cautions


def test_storage_says_what_comes_and_what_goes() -> None:
    storage = {
        "input": {"tables": [{"source": "in.c-crm.visits", "destination": "visits.csv", "columns": ["a"]}]},
        "output": {"tables": [{"source": "a.csv", "destination": "out.c-x.a", "primary_key": ["id"]}]},
    }
    seen = review("update_config", update(storage=storage), presents=known())
    assert grids(seen)["Input tables"].rows == [
        ("+", "in.c-crm.visits", "visits.csv", 'columns ["a"]'),
        ("−", "in.c-crm.orders", "orders.csv", ""),
    ]
    assert grids(seen)["Input tables"].tones == ["good", "bad"]
    assert grids(seen)["Output tables"].rows == [
        ("~", "a.csv", "out.c-x.a", "replaces the table · key id (now: adds rows)")
    ]
    assert "1 mapping of the present storage is gone afterwards." in seen.cautions
    unknown = review("update_config", update(storage=storage))
    assert grids(unknown)["Input tables"].columns == ("source", "destination", "how")
    assert any(caution.startswith("Replaces all of storage") for caution in unknown.cautions)


def test_emptying_storage_is_not_overlooked() -> None:
    seen = review("update_config", update(storage={}), presents=known())
    assert grids(seen)["Input tables"].tones == ["bad"]
    assert "no tables go in or out any more" in words(seen)


def test_a_row_is_compared_with_that_row() -> None:
    given = update(
        configuration_row_id="11",
        is_disabled=True,
        parameter_updates=[{"op": "set", "path": "limit", "value": 9}],
    )
    seen = review("update_config_row", given, presents=known())
    assert seen.sentence == "Change row 11 of configuration 7001 of keboola.ex-db-mysql"
    assert seen.objects == (ObjectRef("configuration row", "keboola.ex-db-mysql/7001/11"),)
    assert changes(seen) == [PathChange("limit", "sets", 5, True, 9)]
    assert "Disables it: it does not run any more." in seen.cautions
    other = review("update_config_row", given | {"configurationRowId": "12"}, presents=known())
    assert "Not as expected: configurationRowId. Look at all arguments." in other.cautions


def test_true_in_the_place_of_one_is_a_change() -> None:
    given = update(parameters={"a": {"b": True}, "l": [1, {"c": 1}]})
    seen = review(
        "update_config", given, presents=known({"parameters": {"a": {"b": 1}, "l": [True, {"c": 1.0}]}})
    )
    assert [change.path for change in changes(seen)] == ["a.b", "l[0]", "l[1].c"]
    assert "Replaces all of the parameters." in seen.cautions


def test_secrets_are_hidden_everywhere_and_encrypted_ones_are_not() -> None:
    parameters = {"#key": "hunter2", "deep": [{"#pin": 1234}], "#done": "KBC::ProjectSecure::xyz"}
    seen = review(
        "create_config",
        {"name": "N", "description": "D", "component_id": "keboola.ex-http", "parameters": parameters},
    )
    assert "hunter2" not in repr(seen)
    assert "1234" not in repr(seen)
    assert "KBC::ProjectSecure::xyz" in repr(seen)
    assert seen.cautions == (
        "Holds a secret in plain text: #key, #pin. It is hidden in this view, not in what is sent.",
    )
    for operation in (
        {"op": "set", "path": "db['#password']", "value": "hunter2"},
        {"op": "set", "path": "db.#password", "value": "hunter2"},
        {"op": "set", "path": "db.#password.x", "value": "hunter2"},
        {"op": "set", "path": "$..#password", "value": "hunter2"},
        {"op": "set", "path": "db", "value": {"#password": "hunter2"}},
        {"op": "str_replace", "path": "db.#password", "search_for": "hunter2", "replace_with": "hunter2x"},
    ):
        for presents in ({}, known(), known({"parameters": {"db": {"#password": "hunter2!"}}})):
            seen = review("update_config", update(parameter_updates=[operation]), presents=presents)
            assert "hunter2" not in repr(seen), operation


def test_making_a_configuration_shows_all_of_it() -> None:
    given = {
        "name": "Weather",
        "description": "Daily",
        "component_id": "keboola.ex-http",
        "parameters": {"path": "/v1"},
        "storage": {
            "output": {"tables": [{"source": "w.csv", "destination": "in.c-w.w", "incremental": True}]}
        },
        "processors_after": [{"definition": {"component": "keboola.processor-x"}}],
        "variables": [
            {"name": "city", "default_value": "Prague"},
            {"name": "k", "type": "vault", "default_value": "s3"},
        ],
    }
    seen = review("create_config", given)
    assert seen.sentence == "Create configuration “Weather” of keboola.ex-http"
    assert (seen.effects, seen.objects) == (("creates",), (ObjectRef("component", "keboola.ex-http"),))
    assert [block.title for block in seen.blocks if isinstance(block, Code)] == [
        "Description",
        "Parameters",
        "Processors after",
    ]
    assert grids(seen)["Output tables"].rows == [("w.csv", "in.c-w.w", "adds rows")]
    assert grids(seen)["Variables"].rows == [("city", "string", "Prague"), ("k", "vault", "•••")]


def test_adding_a_row_names_its_configuration() -> None:
    given = {
        "name": "Visits",
        "description": "",
        "component_id": "keboola.ex-db-mysql",
        "configuration_id": 7001,
    }
    seen = review("add_config_row", given | {"parameters": {"table": "visits"}})
    assert seen.sentence == "Add row “Visits” to configuration 7001 of keboola.ex-db-mysql"
    assert seen.objects == (CONFIG,)
    assert seen.effects == ("creates",)


def test_empty_means_unchanged_except_where_it_removes() -> None:
    seen = review("update_config", update(name="", description="", folder="", variables=[]), presents=known())
    assert not [block for block in seen.blocks if isinstance(block, TextChange)]
    assert "Takes it out of its folder." in words(seen)
    assert seen.cautions == ("Removes all variables.",)
    renamed = review("update_config", update(name="Clients", folder="Shop"), presents=known())
    assert [(b.before, b.after) for b in renamed.blocks if isinstance(b, TextChange)] == [
        ("Customers", "Clients")
    ]
    assert "Puts it into the folder Shop." in words(renamed)


def test_older_and_other_spellings_mean_the_same() -> None:
    given = {
        "componentId": "keboola.ex-db-mysql",
        "configuration-id": "7001",
        "justification": "why",
        "parameterUpdates": '[{"op": "set", "path": "db.port", "value": 1}]',
    }
    seen = review("update_config", given, presents=known())
    assert seen.objects == (CONFIG,)
    assert seen.reason == "why"
    assert changes(seen) == [PathChange("db.port", "sets", 3306, True, 1)]
    older = review("update_config", update(configuration={"parameters": {}}), presents=known())
    assert older.objects == (CONFIG,)


def test_what_nobody_knows_is_shown_and_two_names_for_one_thing_are_not_believed() -> None:
    seen = review("update_config", update(branch_id="main", configurationId="7002"))
    assert Code("Further arguments", '{\n  "branch_id": "main"\n}', "json") in seen.blocks
    assert "Not as expected: configurationId. Look at all arguments." in seen.cautions
    assert ObjectRef("other", "configurationId, not understood") in seen.objects


def test_sql_in_parameters_is_looked_through() -> None:
    operation = {"op": "set", "path": "blocks[0].codes[0].script", "value": ["DROP TABLE x", "SELECT 1"]}
    seen = review("update_config", update(parameter_updates=[operation]))
    assert seen.cautions == ("DROP TABLE x: gone once this SQL runs.",)


def test_processors_are_compared_with_the_present_ones() -> None:
    present = {
        "configuration": {"parameters": {}, "processors": {"after": [{"definition": {"component": "a"}}]}}
    }
    seen = review(
        "update_config",
        update(processors_after=[{"definition": {"component": "b"}}]),
        presents=known(present),
    )
    assert changes(seen) == [PathChange("[0].definition.component", "sets", "a", True, "b")]
    gone = review("update_config", update(processors_after=[]), presents=known(present))
    assert [change.does for change in changes(gone)] == ["removes"]
    assert "Processors after: none any more." in words(review("update_config", update(processors_after=[])))


def test_files_without_names_are_told_apart() -> None:
    def files(*tags: str) -> dict[str, Any]:
        return {"input": {"files": [{"tags": [tag]} for tag in tags]}}

    now = {"parameters": {}, "storage": files("a", "b")}
    seen = review("update_config", update(storage=files("b", "c")), presents=known(now))
    assert [(row[0], row[3]) for row in grids(seen)["Input files"].rows] == [
        ("", 'tags ["b"]'),
        ("+", 'tags ["c"]'),
        ("−", 'tags ["a"]'),
    ]


def test_people_are_told_what_it_is_called() -> None:
    assert "It is called “Customers”." in words(review("update_config", update(folder="x"), presents=known()))
    row = update(configuration_row_id="11", is_disabled=True)
    assert "It is called “Orders”." in words(review("update_config_row", row, presents=known()))
    assert "called" not in words(review("update_config", update(folder="x")))
