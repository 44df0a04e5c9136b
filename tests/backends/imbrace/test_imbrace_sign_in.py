"""Environments, addresses, e-mail with password or code, organisations, keys (imbrace.md §1, §2)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from kai_tui.backends.base import (
    CannotConnect,
    NotAllowed,
    NotFound,
    Refused,
    TokenRefused,
    UnexpectedAnswer,
)
from kai_tui.backends.imbrace import login
from kai_tui.backends.imbrace.client import ImbraceBackend
from kai_tui.backends.imbrace.offers import Login, Organization
from kai_tui.backends.imbrace.places import ENVIRONMENTS, credential_headers, kind_of, places
from kai_tui.backends.secret import Secret
from tests.backends.imbrace.kit import failing
from tests.backends.kai_server import answer, hang_up
from tests.fakes.imbrace import CODE, JWT, PASSWORD, ImbraceFake

EMAIL = "tester@example.com"
CANARY = "canary-password-1234"
AUTHENTICATE = "POST /platform/v1/login/authenticate"


@pytest.fixture
async def fake() -> AsyncIterator[ImbraceFake]:
    async with ImbraceFake() as running:
        yield running


# Addresses


def test_environments_and_gateways_lead_to_the_services():
    stable = places()
    assert stable.gateway == ENVIRONMENTS["stable"] == "https://app-gatewayv2.imbrace.co"
    assert stable == places("prodv2") == places(" Stable ")
    assert places("develop").ai_agent == "https://app-gateway.dev.imbrace.co/ai-agent"
    own = places("https://gw.example.com/base/")
    assert (own.ai_agent, own.chat_ai, own.platform, own.data_board) == (
        "https://gw.example.com/base/ai-agent",
        "https://gw.example.com/base/v3/ai",
        "https://gw.example.com/base/platform/v1",
        "https://gw.example.com/base/data-board",
    )
    assert places("gw.example.com").gateway == "https://gw.example.com"
    assert places("localhost:3000/x").gateway == "http://localhost:3000/x"
    assert places("[::1]:3000").gateway == "http://[::1]:3000"
    assert places("gw.example.com:8443").gateway == "https://gw.example.com:8443"
    other = places("sandbox", {"ai_agent": "http://127.0.0.1:3000/api/", "chat_ai": " "})
    assert other.of("ai_agent") == "http://127.0.0.1:3000/api"
    assert other.of("chat_ai") == f"{ENVIRONMENTS['sandbox']}/v3/ai"


@pytest.mark.parametrize(
    "where",
    [
        "http://gw.example.com",
        "ftp://gw.example.com",
        "nowhere",
        "",
        "https://u:p@gw.example.com",
        "https://",
    ],
)
def test_an_address_a_credential_must_not_go_to_is_refused(where: str):
    with pytest.raises(CannotConnect):
        places(where)
    with pytest.raises(CannotConnect):
        places("stable", {"chat_ai": "http://elsewhere.example.com"})


def test_an_unknown_environment_names_the_known_ones():
    with pytest.raises(CannotConnect) as caught:
        places("staging")
    assert "stable, prodv2, sandbox, develop" in caught.value.sentence


def test_credentials_are_told_by_their_looks():
    kinds = {"api_x": "api-key", "acc_x": "access-token", "login_acc_x": "access-token", JWT: "jwt", "sk-x": "access-token",
             "eyJx": "access-token", "eyJa.b.c.d": "access-token"}  # fmt: skip
    assert {value: kind_of(Secret(value)) for value in kinds} == kinds
    assert credential_headers(Secret("api_x")) == {"x-api-key": Secret("api_x")}
    assert JWT not in repr(credential_headers(Secret(JWT), "org_1"))


# Signing in


async def test_a_password_an_organisation_and_then_a_chat(fake: ImbraceFake):
    where = places(fake.url)
    signed_in = await login.log_in(where, f" {EMAIL} ", password=Secret(PASSWORD))
    assert signed_in.organizations == (Organization("org_1", "Acme"), Organization("org_2", "Umbrella"))
    assert await login.organizations(where, signed_in.token) == list(signed_in.organizations)
    token = await login.token_for(where, signed_in, "org_1")
    backend = ImbraceBackend(where, token, organization="org_1")
    assert (await backend.connect()).details["signed in as"] == EMAIL
    await backend.aclose()
    key = await login.lasting_key(where, token, "org_1", days=30)
    assert (key.organization, key.expires) == ("org_1", "2026-12-01T00:00:00.000Z")
    assert kind_of(key.key) == "api-key"
    later = ImbraceBackend(where, key.key, organization=key.organization)
    assert (await later.whoami()).email == EMAIL
    await later.aclose()
    posted = {seen.call: seen for seen in fake.seen if seen.method == "POST"}
    assert posted[AUTHENTICATE].body == {"email": EMAIL, "password": PASSWORD}
    assert not {"x-api-key", "x-access-token", "authorization"} & posted[AUTHENTICATE].headers.keys()
    assert posted["POST /platform/v1/access/_exchange_access_token"].body == {"organization_id": "org_1"}
    assert posted["POST /v1/platform/third_party_token"].body == {"expirationDays": 30}


async def test_a_code_by_e_mail_works_once(fake: ImbraceFake):
    where = places(fake.url)
    await login.request_code(where, EMAIL)
    assert fake.codes == {EMAIL: CODE}
    signed_in = await login.log_in(where, EMAIL, code=Secret(f" {CODE} "))
    assert signed_in.token
    error = await failing(login.log_in(where, EMAIL, code=Secret(CODE)))
    assert (type(error), error.code) == (TokenRefused, "login")
    assert error.sentence == "The code was not accepted: it may be mistyped or too old."


async def test_a_wrong_password_says_so_without_showing_it(fake: ImbraceFake):
    error = await failing(login.log_in(places(fake.url), EMAIL, password=Secret(CANARY)))
    assert (type(error), error.code) == (TokenRefused, "login")
    assert error.sentence == "E-mail and password were not accepted."
    assert CANARY not in repr(error.__dict__)
    assert error.__cause__ is None
    fake.on(AUTHENTICATE, answer(400, {"message": "Account is locked"}))
    error = await failing(login.log_in(places(fake.url), EMAIL, password=Secret(CANARY)))
    assert (type(error), error.code) == (TokenRefused, "login")
    assert "Account is locked" in error.sentence


async def test_a_lost_sign_in_is_not_repeated(fake: ImbraceFake):
    fake.on(AUTHENTICATE, hang_up)
    await failing(login.log_in(places(fake.url), EMAIL, password=Secret(PASSWORD)))
    assert len(fake.seen) == 1


async def test_an_address_that_is_no_imbrace_is_told_apart_from_a_wrong_password(fake: ImbraceFake):
    fake.on(AUTHENTICATE, answer(404, b"404 page not found", {"content-type": "text/plain"}))
    error = await failing(login.log_in(places(fake.url), EMAIL, password=Secret(PASSWORD)))
    assert type(error) is NotFound
    assert "Is it an iMBRACE address?" in error.sentence


async def test_answers_without_a_token_are_not_a_sign_in(fake: ImbraceFake):
    fake.on(AUTHENTICATE, answer(200, {"organizations": [{"id": "o"}]}))
    where = places(fake.url)
    assert type(await failing(login.log_in(where, EMAIL, password=Secret("x")))) is UnexpectedAnswer
    fake.on(
        AUTHENTICATE,
        answer(200, {"access_token": "login_acc_1", "organizations": ["odd", {"name": "no id"}, 5]}),
    )
    signed_in = await login.log_in(where, EMAIL, password=Secret("x"))
    assert (signed_in.token, signed_in.organizations) == (Secret("login_acc_1"), ())
    fake.on("POST /v1/platform/third_party_token", answer(200, {"apiKey": {"apiKey": "", "token": 5}}))
    assert type(await failing(login.lasting_key(where, Secret("acc_test"), "org_1"))) is UnexpectedAnswer


async def test_an_organisation_one_does_not_belong_to(fake: ImbraceFake):
    where = places(fake.url)
    signed_in = await login.log_in(where, EMAIL, password=Secret(PASSWORD))
    error = await failing(login.token_for(where, signed_in, "org_9"))
    assert type(error) is NotAllowed
    assert "You are not a member" in error.sentence


@pytest.mark.parametrize("email", ["", "x", "@", "a@", "@b", "a b@c", "a\n@b"])
async def test_what_is_no_address_is_not_sent(fake: ImbraceFake, email: str):
    where = places(fake.url)
    steps = (login.request_code(where, email), login.log_in(where, email, password=Secret("x")))
    for step in steps:
        assert type(await failing(step)) is Refused
    assert type(await failing(login.log_in(where, EMAIL))) is Refused
    assert type(await failing(login.token_for(where, Login(Secret("x"), ()), ""))) is Refused
    assert fake.seen == []


async def test_no_error_of_signing_in_quotes_a_secret(fake: ImbraceFake):
    where = places(fake.url)
    for status in (200, 302, 400, 401, 403, 404, 422, 429, 500):
        fake.on(AUTHENTICATE, answer(status, {"nothing": "here"}))
        refused = await failing(login.log_in(where, EMAIL, password=Secret(CANARY)))
        assert CANARY not in json.dumps([refused.sentence, refused.detail, repr(refused.args)])
        assert refused.sentence.endswith((".", "?"))
    fake.on("POST /platform/v1/access/_exchange_access_token", answer(500, {"error": "boom"}))
    error = await failing(login.token_for(where, Login(Secret(f"login_acc_{CANARY}"), ()), "org_1"))
    assert CANARY not in json.dumps([error.sentence, error.detail])
