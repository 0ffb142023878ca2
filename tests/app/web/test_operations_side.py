"""Health, metrics and the development login."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from pydantic import SecretStr

from app.stack.ports import free_port
from settings import Settings
from tests.app.web.running_server import RunningServer, codes, run_web, token_for

VIEWER = "{ viewer { username } }"
JSON_HEADERS = {"content-type": "application/json"}


async def beat_as(web: RunningServer, role: str, *, seconds_ago: float) -> None:
    connection = await asyncpg.connect(web.settings.database_url.get_secret_value(), timeout=10)
    try:
        await connection.execute(
            "INSERT INTO heartbeats VALUES ($1, 'test', now() - make_interval(secs => $2))"
            " ON CONFLICT (role, instance) DO UPDATE SET at = excluded.at",
            role,
            seconds_ago,
        )
    finally:
        await connection.close(timeout=10)


async def test_live_and_ready(web: RunningServer) -> None:
    assert (await web.http.get("/livez")).json() == {"status": "alive"}
    for role in ("relay", "worker"):
        await beat_as(web, role, seconds_ago=0)
    answer = await web.http.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "reasons": [], "degraded": []})


async def test_what_is_missing_without_stopping_us_is_degraded(web_settings: Settings) -> None:
    settings = web_settings.model_copy(update={"redis_url": SecretStr(f"redis://127.0.0.1:{free_port()}")})
    async with run_web(settings) as web:
        await beat_as(web, "relay", seconds_ago=0.5)
        await beat_as(web, "worker", seconds_ago=60)
        answer = await web.http.get("/readyz")
        assert (answer.status_code, answer.json()) == (200, {"status": "ready", "reasons": [], "degraded": ["redis", "worker"]})


async def test_without_postgresql_it_starts_and_is_not_ready(web_settings: Settings) -> None:
    nowhere = SecretStr(f"postgresql://nobody:secret@127.0.0.1:{free_port()}/nothing")
    async with run_web(web_settings.model_copy(update={"database_url": nowhere})) as web:
        assert (await web.http.get("/livez")).status_code == 200
        answer = await web.http.get("/readyz")
        assert (answer.status_code, answer.json()["reasons"]) == (503, ["database"])
        answer = await web.http.post("/dev/login", json={"username": "ada"})
        assert (answer.status_code, codes(answer.json())) == (503, ["UNAVAILABLE"])
        assert "tidings_outbox_open" not in (await web.http.get("/metrics")).text
        assert "secret" not in answer.text


async def test_database_behind_is_not_ready_and_one_ahead_is(web: RunningServer) -> None:
    connection = await asyncpg.connect(web.settings.database_url.get_secret_value(), timeout=10)
    try:
        newest = await connection.fetchval("SELECT version_num FROM alembic_version")
        for revision, status in (("0000", 503), ("9999", 200)):
            await connection.execute("UPDATE alembic_version SET version_num = $1", revision)
            assert (await web.http.get("/readyz")).status_code == status
        await connection.execute("UPDATE alembic_version SET version_num = $1", newest)
    finally:
        await connection.close(timeout=10)


async def test_metrics_are_for_loopback_or_for_whoever_has_the_token(web: RunningServer, web_settings: Settings) -> None:
    await web.data(VIEWER)
    text = (await web.http.get("/metrics")).text
    assert 'tidings_graphql_requests_total{outcome="answered",type="query"}' in text
    assert "tidings_outbox_open 0.0" in text
    assert "tidings_live_subscribers" in text
    async with run_web(web_settings.model_copy(update={"ops_token": SecretStr("operator")})) as guarded:
        for header in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Basic operator"}):
            assert (await guarded.http.get("/metrics", headers=header)).status_code == 404
        assert (await guarded.http.get("/metrics", headers={"authorization": "Bearer operator"})).status_code == 200


async def test_login_finds_or_makes_the_account(web: RunningServer) -> None:
    first = await web.http.post("/dev/login", json={"username": "Grace_1"})
    again = await web.http.post("/dev/login", json={"username": "gRACE_1"})
    for answer in (first, again):
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert (await web.data(VIEWER, answer.json()["token"]))["viewer"] == {"username": "Grace_1"}


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"username": ""}', b'{"username": 5}', b'{"username": "a b"}', b'{"username": "\xc3\xa9"}',
     b'{"username": "a\\n"}', b'{"username": "%b"}' % (b"a" * 51), b" " * 70_000],
)  # fmt: skip
async def test_login_refuses_what_is_no_username(web: RunningServer, body: bytes) -> None:
    answer = await web.http.post("/dev/login", content=body, headers=JSON_HEADERS)
    assert (answer.status_code, codes(answer.json())) == (400, ["BAD_REQUEST"])


async def test_login_takes_json_by_post_alone(web: RunningServer) -> None:
    assert (await web.http.post("/dev/login", content=b'{"username": "ada"}')).status_code == 415
    assert (await web.http.get("/dev/login")).status_code == 405


async def test_no_login_and_no_page_in_production(web_settings: Settings) -> None:
    secret = SecretStr("a secret of a deployment, long enough for HS256")
    settings = web_settings.model_copy(update={"env": "production", "jwt_secret": secret})
    async with run_web(settings) as web:
        assert (await web.http.post("/dev/login", json={"username": "ada"})).status_code == 404
        assert (await web.http.get("/graphql", headers={"accept": "text/html"})).status_code == 404
        answer = await web.post({"query": "{ __schema { queryType { name } } }"})
        assert set(codes(answer.json())) == {"GRAPHQL_VALIDATION_FAILED"}


async def test_the_front_page_leads_to_graphiql(web: RunningServer, web_settings: Settings) -> None:
    answer = await web.http.get("/")
    assert answer.status_code == 200
    assert 'href="/graphql"' in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    async with run_web(web_settings.model_copy(update={"graphiql": False})) as plain:
        assert 'href="/graphql"' not in (await plain.http.get("/")).text


async def test_use_is_noted(web: RunningServer) -> None:
    await web.data(VIEWER, token_for("noted_person"))
    connection = await asyncpg.connect(web.settings.database_url.get_secret_value(), timeout=10)
    try:
        async with asyncio.timeout(10):
            while not await connection.fetchval(
                "SELECT count(*) FROM account_visits v JOIN users u ON u.id = v.user_id WHERE u.external_id = 'noted_person'"
            ):
                await asyncio.sleep(0.02)
    finally:
        await connection.close(timeout=10)
