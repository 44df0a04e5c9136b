"""Reviews of data apps."""

from typing import Any

import pytest

from kai_tui.conversation.reviews.review import Code, Grid, ObjectRef, Present, TextChange, Wanted
from kai_tui.conversation.reviews.reviewing import review, wanted
from tests.conversation.reviews.seen import grids, known, texts, words

APP = ObjectRef("data app", "42")
STREAMLIT: dict[str, Any] = {
    "name": "Sales",
    "description": "Chart",
    "source_code": "import streamlit\n",
    "packages": ["streamlit", "pandas"],
    "authentication_type": "basic-auth",
}


def test_a_new_app_shows_its_source_and_packages() -> None:
    seen = review("modify_streamlit_data_app", STREAMLIT | {"configuration_id": ""})
    assert seen.sentence == "Create Streamlit data app “Sales”"
    assert seen.effects == ("creates",)
    assert texts(seen) == [TextChange("Source code", None, "import streamlit\n", "python")]
    assert grids(seen)["Packages"].rows == [("streamlit",), ("pandas",)]
    assert seen.cautions == ()


@pytest.mark.parametrize(
    "source",
    [
        "import old\n",
        {"configuration": {"parameters": {"script": ["import old\n"], "packages": ["streamlit", "numpy"]}}},
    ],
)
def test_a_changed_app_is_compared_and_open_access_is_red(source: Any) -> None:
    given = STREAMLIT | {
        "configuration_id": "42",
        "authentication_type": "no-auth",
        "change_description": "why",
    }
    seen = review("modify_streamlit_data_app", given, presents=known(APP, source=source))
    assert seen.sentence == "Change Streamlit data app 42"
    assert (seen.effects, seen.objects, seen.reason) == (("changes",), (APP,), "why")
    assert texts(seen) == [
        TextChange(
            "Source code", "import old\n", "import streamlit\n", "python", Present(None, "project", 1.0)
        )
    ]
    assert seen.cautions == ("Anyone with the link can open it (no-auth).",)
    if not isinstance(source, str):
        assert grids(seen)["Packages"].rows == [("", "streamlit"), ("+", "pandas"), ("−", "numpy")]
    assert list(wanted("modify_data_app", given)) == [Wanted("source", APP), Wanted("preview", APP)]


def test_other_apps_say_settings_and_direct_access() -> None:
    given = {
        "name": "Sales",
        "description": "",
        "slug": "sales",
        "configuration_id": "42",
        "auto_suspend_after_seconds": 900,
        "storage": {"input": {"tables": [{"source": "in.c-a.b", "unload_strategy": "direct-grant"}]}},
    }
    seen = review("modify_python_js_data_app", given)
    assert seen.sentence == "Change data app 42"
    assert grids(seen)["Settings"].rows == [("slug", "sales"), ("suspends itself after", "15 min 00 s")]
    assert "Direct write access (direct-grant) to in.c-a.b." in seen.cautions
    draft = review(
        "modify_python_js_data_app", {"name": "S", "description": "", "parent_configuration_id": "42"}
    )
    assert draft.sentence == "Create a draft of data app 42"
    assert (draft.effects, draft.objects) == (("creates",), (APP,))
    new = review(
        "modify_python_js_data_app", {"name": "S", "description": "D", "authentication_type": "no-auth"}
    )
    assert new.sentence == "Create data app “S”"
    assert "Anyone with the link can open it (no-auth)." in new.cautions


def test_deleting_a_draft_destroys_and_wants_its_name() -> None:
    seen = review("delete_python_js_data_app_draft", {"configuration_id": "42"})
    assert seen.sentence == "Delete the data app draft 42"
    assert (seen.effects, seen.objects, seen.to_type) == (("destroys",), (APP,), "42")
    assert "cannot be undone" in words(seen)


def test_stopping_is_deploying_with_a_caution() -> None:
    stop = review("deploy_data_app", {"action": "stop", "configuration_id": "42"})
    assert stop.sentence == "Stop data app 42"
    assert (stop.effects, stop.objects, stop.to_type) == (("deploys",), (APP,), "42")
    assert stop.cautions == ("Takes the app down: nobody can open it until it is deployed again.",)
    deploy = review("deploy_data_app", {"action": "deploy", "configuration_id": "42", "mode": "production"})
    assert deploy.sentence == "Deploy data app 42 (production)"
    assert (deploy.effects, deploy.to_type) == (("deploys", "costs"), "42")
    odd = review("deploy_data_app", {"action": "wipe"})
    assert odd.effects == ("deploys",)
    assert odd.to_type == "deploy_data_app"
    assert "It is not known what this action does." in odd.cautions
    assert "The call does not say which data app it is about." in odd.cautions


def test_a_git_token_goes_into_the_chat() -> None:
    seen = review("create_python_js_data_app_git_credential", {"configuration_id": "42"})
    assert seen.sentence == "Create a git token for data app 42"
    assert (seen.effects, seen.objects) == (("creates",), (APP,))
    assert seen.cautions == ("The secret goes to the model and into this chat.",)


def test_blocks_of_an_app_are_of_the_kinds_the_dialog_draws() -> None:
    seen = review("modify_streamlit_data_app", STREAMLIT)
    assert {type(block) for block in seen.blocks} >= {Code, Grid, TextChange}
