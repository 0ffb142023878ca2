"""What can be configured, what is refused, and that `.env.example` tells the truth about both."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from app.environment import render_env_example
from settings import DEVELOPMENT_JWT_SECRET, Settings

EXAMPLE = Path(__file__).parent.parent / ".env.example"
SECRET = "s" * 32


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No setting of whoever runs the tests counts."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"TIDINGS_{name.upper()}", raising=False)
    return monkeypatch


def settings(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(f"TIDINGS_{name.upper()}", value)
    return Settings()


def example_variables() -> dict[str, str]:
    lines = [line for line in EXAMPLE.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_the_example_is_the_one_written_from_the_settings() -> None:
    assert EXAMPLE.read_text(encoding="utf-8") == render_env_example(), (
        "settings.py has changed: tidings config show --example > .env.example"
    )


def test_the_example_lists_every_field_once() -> None:
    assert list(example_variables()) == [f"TIDINGS_{name.upper()}" for name in Settings.model_fields]


def test_the_example_says_the_defaults(environment: pytest.MonkeyPatch) -> None:
    defaults = Settings()
    for name, value in example_variables().items():
        environment.setenv(name, value)
    assert Settings() == defaults


def test_every_field_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_a_shell_reads_the_example_as_it_stands() -> None:
    assert not [value for value in example_variables().values() if set(value) & set(" \t'\"$`\\;&|<>(){}*?#~")]


PRODUCTION = {"env": "production", "jwt_secret": SECRET}


def test_production_with_a_secret(environment: pytest.MonkeyPatch) -> None:
    found = settings(environment, **PRODUCTION)
    assert found.hs256_secret == SECRET
    assert (found.has_graphiql, found.has_introspection, found.is_development) == (False, False, False)


def test_production_with_a_key_set_alone(environment: pytest.MonkeyPatch) -> None:
    found = settings(environment, env="production", jwks_url="https://id.example/keys", cursor_secret=SECRET)
    assert found.hs256_secret is None


@pytest.mark.parametrize(
    ("changes", "variable"),
    [
        ({"jwt_secret": DEVELOPMENT_JWT_SECRET}, "TIDINGS_JWT_SECRET"),
        ({"jwt_secret": DEVELOPMENT_JWT_SECRET, "jwks_url": "https://id.example/keys"}, "TIDINGS_CURSOR_SECRET"),
        ({"jwt_secret": "s" * 31}, "TIDINGS_JWT_SECRET"),
        ({"cursor_secret": "s" * 31}, "TIDINGS_CURSOR_SECRET"),
        ({"limits": "off"}, "TIDINGS_LIMITS"),
    ],
)
def test_what_production_refuses(environment: pytest.MonkeyPatch, changes: dict[str, str], variable: str) -> None:
    with pytest.raises(ValidationError, match=variable):
        settings(environment, **{**PRODUCTION, **changes})


def test_development_needs_nothing(environment: pytest.MonkeyPatch) -> None:
    found = settings(environment)
    assert found.hs256_secret == DEVELOPMENT_JWT_SECRET
    assert (found.has_graphiql, found.has_introspection, found.is_development) == (True, True, True)
    assert settings(environment, limits="off", graphiql="false").has_graphiql is False


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("", ()),
        ("https://a.example", ("https://a.example",)),
        (" https://a.example , ,https://b.example:8443,", ("https://a.example", "https://b.example:8443")),
    ],
)
def test_lists_are_separated_by_commas(environment: pytest.MonkeyPatch, text: str, items: tuple[str, ...]) -> None:
    assert settings(environment, allowed_origins=text).allowed_origins == items


def test_proxies_are_addresses_and_networks(environment: pytest.MonkeyPatch) -> None:
    found = settings(environment, trusted_proxies=" 10.0.0.0/8, ,::1,192.0.2.1/24")
    assert found.trusted_proxies == ("10.0.0.0/8", "::1", "192.0.2.1/24")


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("86400", timedelta(days=1)),
        (" 1.5 ", timedelta(seconds=1.5)),
        ("7 days", timedelta(days=7)),
        ("1 hour", timedelta(hours=1)),
        ("P7D", timedelta(days=7)),
        ("PT15M", timedelta(minutes=15)),
    ],
)
def test_durations(environment: pytest.MonkeyPatch, text: str, duration: timedelta) -> None:
    assert settings(environment, repeat_window=text).repeat_window == duration


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("repeat_window", "a week"),
        ("repeat_window", "7 fortnights"),
        ("feed_cap", "19"),
        ("feed_cap", "5001"),
        ("celebrity_threshold", "0"),
        ("database_timeout_seconds", "0"),
        ("metrics_port", "65536"),
        ("env", "staging"),
        ("limits", "maybe"),
        ("graphiql", "perhaps"),
        ("trusted_proxies", "10.0.0.0/8,proxy.example"),
        ("classifier_url", "ftp://classifier.example"),
        ("classifier_timeout_seconds", "1.5"),
    ],
)
def test_a_wrong_value_is_named(environment: pytest.MonkeyPatch, name: str, value: str) -> None:
    with pytest.raises(ValidationError, match=name):
        settings(environment, **{name: value})


def test_settings_cannot_be_changed_and_keep_their_secrets(environment: pytest.MonkeyPatch) -> None:
    found: Any = settings(environment, jwt_secret=SECRET)
    with pytest.raises(ValidationError):
        found.feed_cap = 100
    assert isinstance(found.jwt_secret, SecretStr)
    assert SECRET not in repr(found)
