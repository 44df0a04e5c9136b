"""The tools that stand alone: sign-in links, shared buckets, queries, credentials, the web."""

from __future__ import annotations

from kai_tui.conversation.reviews.call import Call
from kai_tui.conversation.reviews.draft import Draft, quoted
from kai_tui.conversation.reviews.generic import show_arguments
from kai_tui.conversation.reviews.objects import (
    component_id,
    configuration,
    configuration_id,
    configuration_words,
)
from kai_tui.conversation.reviews.review import Code, Grid, ObjectRef
from kai_tui.conversation.reviews.sql_dangers import sql_dangers


def create_oauth_url(call: Call, draft: Draft) -> None:
    component, config = component_id(call), configuration_id(call)
    draft.touches(configuration(component, config))
    draft.sentence = f"Make a sign-in link for {configuration_words(component, config)}"
    draft.say(
        "Only makes a link. Whoever opens it and signs in gives this configuration access to that account."
    )


def link_shared_bucket(call: Call, draft: Draft) -> None:
    given = call.arguments
    project, bucket = given.text("source_project_id"), given.text("source_bucket_id")
    name, stage = given.text("target_bucket_name"), given.text("target_stage") or "in"
    target = f"{stage}.c-{name.removeprefix('c-')}"
    draft.touches(ObjectRef("bucket", target if name else ""), ObjectRef("bucket", f"{project}:{bucket}"))
    draft.sentence = f"Link the shared bucket {bucket} of project {project} as {target}"
    facts = [
        ("from project", project),
        ("bucket", bucket),
        ("becomes", target),
        ("shown as", given.text("display_name")),
    ]
    draft.show(Grid("Link", ("", ""), [fact for fact in facts if fact[1]]))


def create_bucket(call: Call, draft: Draft) -> None:
    given = call.arguments
    name, stage = given.text("name", "bucket_name"), given.text("stage") or "in"
    target = f"{stage}.c-{name.removeprefix('c-')}"
    draft.touches(ObjectRef("bucket", target))
    draft.sentence = f"Create bucket {target}"
    if text := given.text("description"):
        draft.show(Code("Description", text))


def query_data(call: Call, draft: Draft) -> None:
    sql, name = call.arguments.text("sql_query", "query", "sql"), call.arguments.text("query_name")
    draft.touches(ObjectRef("project", ""))
    draft.sentence = f"Query data: {name}" if name else "Query data"
    draft.show(Code(name or "SQL", sql, "sql"))
    dangers = sql_dangers(sql)
    if dangers:
        draft.warn(*dangers)
        draft.also("destroys")


def request_credentials(call: Call, draft: Draft) -> None:
    draft.sentence = "Ask you for credentials"
    draft.warn(
        "Credentials go through a secure form of the web page, which a terminal does not have: deny, and enter them"
        " there. Never type them into the chat."
    )
    component, config = component_id(call), configuration_id(call)
    if config:
        draft.touches(configuration(component, config))
    elif component:
        draft.touches(ObjectRef("component", component))
    show_arguments(draft, call.arguments.every(), "Arguments")
    for name in call.arguments.unread():
        call.arguments.value(name)


def fetch_website(call: Call, draft: Draft) -> None:
    url = call.arguments.text("url")
    draft.touches(ObjectRef("other", url))
    draft.sentence = f"Fetch the web page {quoted(url)}"
    draft.warn("Contacts that address outside of the project; what the address holds is sent there.")


def search_internet(call: Call, draft: Draft) -> None:
    query = call.arguments.text("query")
    draft.sentence = f"Search the internet for {quoted(query)}"
    draft.warn("Sends these words to a search engine outside of the project.")
