"""Which pasted text becomes what a chat is about: a page of the account's own stack and project."""

from __future__ import annotations

import pytest

from kai_tui.services.account import SANDBOX, Account
from kai_tui.services.object_address import ObjectAddress, object_address

OWN = Account("a", "kai", "P", storage_url="https://connection.eu.keboola.com", project_id="12")
STACK = "https://connection.eu.keboola.com"
TABLE = "/admin/projects/12/storage/in.c-shop/table/orders"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (STACK + TABLE, TABLE),
        (f"  {STACK}{TABLE}/ \n", TABLE),
        (f"{STACK}{TABLE}?context=table&token=x#columns", TABLE),
        (f"HTTPS://Connection.EU.keboola.com:443{TABLE}".replace("HTTPS", "https"), TABLE),
        (f"{STACK}/admin/projects/12", "/admin/projects/12"),
        (f"{STACK}/admin/projects/12/flows/my%20flow", "/admin/projects/12/flows/my%20flow"),
    ],
)
def test_the_path_of_an_own_page(text: str, path: str) -> None:
    assert object_address(text, OWN) == ObjectAddress(path)


def test_a_page_tells_its_branch() -> None:
    found = object_address(f"{STACK}/admin/projects/12/branch/345/storage", OWN)
    assert found == ObjectAddress("/admin/projects/12/branch/345/storage", branch=345)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"https://connection.keboola.com{TABLE}", "connection.keboola.com"),
        (f"https://connection.eu.keboola.com.evil.example{TABLE}", "evil.example"),
        (f"http://connection.eu.keboola.com{TABLE}", "connection.eu.keboola.com"),
        (f"{STACK}:8443{TABLE}", "8443"),
        (f"{STACK}{TABLE}".replace("/12/", "/13/"), "project 13"),
    ],
)
def test_another_stack_or_project_is_refused_with_a_reason(text: str, said: str) -> None:
    found = object_address(text, OWN)
    assert found is not None
    assert found.path is None
    assert said in found.why_not


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        TABLE,
        f"look at {STACK}{TABLE}",
        f"{STACK}{TABLE} please",
        f"{STACK}{TABLE}\n{STACK}{TABLE}",
        f"https://me:secret@connection.eu.keboola.com{TABLE}",
        f"{STACK}/admin/projects/12/../13/storage",
        f"{STACK}/admin/projects/12/%2e%2e/13",
        f"{STACK}/admin/projects/12/a%2Fb",
        f"{STACK}/admin/projects/12/a%0Ab",
        f"{STACK}/admin/projects/12//storage",
        f"{STACK}/admin/projects/012",
        f"{STACK}/admin/projects/twelve",
        f"{STACK}/admin/projects/12/\u202eegarots",
        f"{STACK}/v2/storage",
        f"{STACK}{TABLE}{'x' * 3000}",
        "https://[::1" + TABLE,
        "ftp://connection.eu.keboola.com" + TABLE,
    ],
)
def test_anything_else_stays_text(text: str) -> None:
    assert object_address(text, OWN) is None


def test_the_sandbox_has_the_address_its_links_point_to() -> None:
    page = "https://sandbox.kai-tui.invalid/admin/projects/2026/storage"
    assert object_address(page, SANDBOX) == ObjectAddress("/admin/projects/2026/storage")
    assert object_address(page, OWN) is not None
    assert object_address(page, OWN).path is None


def test_an_account_without_a_stack_takes_nothing() -> None:
    found = object_address(STACK + TABLE, Account("a", "kai", "P"))
    assert found is not None
    assert found.path is None
