"""Every knob of Tidings: typed, frozen, with its unit and its reason.

All of it is read from `TIDINGS_…` environment variables, once, by whoever starts a process. `.env.example` lists the same
fields with their defaults (a test compares the two). Below `app`, `workers`, `migrations`, `bench` and `tests` nobody imports
this module: the parts that a function needs are passed to it.
"""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_network
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

DEVELOPMENT_JWT_SECRET = "tidings-development-secret-do-not-use-elsewhere"  # noqa: S105 - refused in production
MINIMUM_SECRET_BYTES = 32


def _parse_duration(value: object) -> object:
    """Takes a bare number as seconds and "7 days" as it is said; ISO 8601 ("P7D") is pydantic's own."""
    if isinstance(value, str):
        text = value.strip().lower()
        if text.replace(".", "", 1).isdigit():
            return float(text)
        number, _, unit = text.partition(" ")
        if unit in _UNIT_SECONDS and number.isdigit():
            return int(number) * _UNIT_SECONDS[unit]
    return value


_UNIT_SECONDS = {
    "second": 1,
    "seconds": 1,
    "minute": 60,
    "minutes": 60,
    "hour": 3_600,
    "hours": 3_600,
    "day": 86_400,
    "days": 86_400,
}
Seconds = Annotated[timedelta, BeforeValidator(_parse_duration), Field(gt=timedelta(0))]


class Settings(BaseSettings):
    """The configuration of one process. Raises `pydantic.ValidationError` naming the field that is wrong, never its value."""

    model_config = SettingsConfigDict(env_prefix="TIDINGS_", frozen=True, extra="ignore", hide_input_in_errors=True)

    env: Literal["development", "production"] = Field(
        "development", description="production refuses development keys, dev login and default secrets"
    )

    # ------------------------------------------------------------------ servers
    database_url: SecretStr = Field(
        SecretStr(""),
        description="PostgreSQL 15 or newer, postgresql://user:password@host:port/name; empty: the servers of DATA_DIR",
    )
    database_replica_url: SecretStr = Field(
        SecretStr(""), description="a read replica that answers when the primary is away; empty: none"
    )
    database_listen_url: SecretStr = Field(
        SecretStr(""),
        description="a direct connection for LISTEN where database_url goes through a pooler; empty: database_url",
    )
    redis_url: SecretStr = Field(SecretStr(""), description="feeds and live events: Redis 7.0 or newer, or Valkey 8 or newer")
    broker_url: SecretStr = Field(
        SecretStr(""), description="the task queue: a Redis database or server of its own, never the feeds' one"
    )
    database_pool_size: int = Field(10, ge=2, le=200, description="connections a process keeps to PostgreSQL")
    database_timeout_seconds: float = Field(
        1.5,
        gt=0,
        le=30,
        description="longest wait for one statement of a request; below the 2 s within which UNAVAILABLE is promised",
    )
    redis_timeout_seconds: float = Field(
        0.25, gt=0, le=5, description="longest wait for one Redis command of a request; then PostgreSQL answers instead"
    )

    # ------------------------------------------------------------------ feeds
    celebrity_threshold: int = Field(
        10_000,
        ge=1,
        description="followers from which an author's posts are pulled when read instead of pushed when written",
    )
    fanout_writes_per_second: float = Field(
        20_000,
        gt=0,
        description="timeline entries a second that one author may cause (followers x posting rate of an hour); above: pulled",
    )
    pull_hysteresis: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="share of both limits by which a pulled author must fall below them to be pushed again: no flapping",
    )
    feed_cap: int = Field(500, ge=20, le=5_000, description="entries of a timeline in the cache; below it PostgreSQL answers")
    pulled_cap: int = Field(
        100, ge=20, le=5_000, description="newest posts of each pulled author in the cache; below them PostgreSQL answers"
    )
    feed_ttl: Seconds = Field(
        timedelta(seconds=86_400),
        description="seconds after its last read until a timeline is forgotten; sleeping users cost nothing",
    )
    memory_posts: int = Field(
        200_000,
        ge=0,
        description="posts and as many authors that a web process remembers, about 2 kB each, never believed unconfirmed; "
        "fewer than are read all the time are worse than none; 0: none, and every page is read from PostgreSQL",
    )
    memory_relations: int = Field(
        2_000_000,
        ge=1_000,
        description="relations of viewers to whom they follow that a web process remembers, about 120 bytes each",
    )
    fanout_batch: int = Field(1_000, ge=1, le=10_000, description="followers read from PostgreSQL in one chunk of a fan-out")
    follower_cache_ids: int = Field(
        2_000_000,
        ge=0,
        description="follower ids that a worker keeps in memory, 8 bytes each, for authors who post again; 0: none",
    )
    fanout_cache_batch: int = Field(
        50,
        ge=1,
        le=1_000,
        description="timelines written in one server-side script; small, so that reads keep their share of Redis",
    )
    repeat_window: Seconds = Field(
        timedelta(days=7), description="seconds, or P7D, within which one post is shown once, however often shared"
    )
    follow_limit: int = Field(5_000, ge=1, description="accounts that one account may follow")

    # ------------------------------------------------------------------ workers
    outbox_lease_seconds: float = Field(
        8.0,
        gt=0,
        description="time a worker has for a job before the relay sends it again; doubles with every attempt",
    )
    outbox_poll_seconds: float = Field(1.0, gt=0, description="the relay's poll beside the bell, for bells that were lost")
    outbox_retention: Seconds = Field(
        timedelta(hours=48),
        description="seconds: closed outbox rows are kept so long: the window in which a live cursor can be resumed",
    )
    audit_seconds: float = Field(
        300.0, ge=0, description="from one regular audit of cached timelines to the next, over all relays; 0: none"
    )
    audit_sample: int = Field(
        200, ge=0, le=100_000, description="timelines that one regular audit compares with the database and repairs; 0: none"
    )
    worker_threads: int = Field(4, ge=1, le=64, description="jobs at a time in one worker process")

    # ------------------------------------------------------------------ accounts
    jwt_secret: SecretStr = Field(
        SecretStr(DEVELOPMENT_JWT_SECRET),
        description="HS256 secret, at least 32 bytes; the default is refused in production",
    )
    jwks_url: str = Field("", description="address of the key set for RS256, ES256 and EdDSA tokens; empty: none")
    jwt_issuer: str = Field("", description="required `iss`; empty: not checked")
    jwt_audience: str = Field("", description="required `aud`; empty: a token must carry none")
    cursor_secret: SecretStr = Field(
        SecretStr(""),
        description="seals cursors, at least 32 bytes, the same for every process; empty: derived from jwt_secret",
    )

    # ------------------------------------------------------------------ media
    media_url: SecretStr = Field(
        SecretStr(""),
        description="where pictures are kept: file:///folder, the same for all processes, or s3://bucket[/prefix] with the "
        "usual AWS_… variables or ?endpoint=…&region=…&access_key_id=…&secret_access_key=…; empty: no uploads "
        "(`tidings dev` sets it)",
    )
    cdn_url: str = Field(
        "",
        description="what fronts pictures: address of the bucket's (and prefix's) contents, or of this server's /media; "
        "empty: the server itself, or signed addresses of the bucket",
    )
    upload_limit: int = Field(10_000_000, ge=1, le=100_000_000, description="largest upload in bytes")
    upload_ttl: Seconds = Field(timedelta(minutes=15), description="seconds for which an address to upload to holds")

    # ------------------------------------------------------------------ HTTP
    public_url: str = Field(
        "",
        description="where clients reach this server, https://name: for addresses of pictures that it serves itself, never "
        "taken from a request; empty: in development where it listens, otherwise addresses without a host",
    )
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="origins of front ends on other hosts, separated by commas; the server's own is always allowed"
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="addresses or networks (10.0.0.0/8) of proxies whose X-Forwarded-For is believed, separated by commas"
    )
    graphiql: bool | None = Field(None, description="serve GraphiQL; empty: in development only")
    introspection: bool | None = Field(None, description="answer introspection; empty: in development only")
    limits: Literal["on", "off"] = Field("on", description="limits on use; off is refused in production")
    classifier_url: SecretStr = Field(
        SecretStr(""), description="http(s) address that is asked whether a text may be published; empty: nobody is asked"
    )
    classifier_timeout_seconds: float = Field(0.5, gt=0, le=1.0, description="longest wait for its answer")
    classifier_fails_open: bool = Field(
        True, description="whether texts pass while the classifier does not answer; false: UNAVAILABLE, nothing is published"
    )
    ops_token: SecretStr = Field(SecretStr(""), description="bearer token for /metrics and /ops; empty: from loopback only")

    # ------------------------------------------------------------------ operations
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least important level that is logged")
    log_format: Literal["json", "console"] = Field("json", description="one JSON object a line, or lines for people")
    metrics_dir: str = Field(
        "", description="folder in which the processes of one machine add up their metrics; empty: each its own"
    )
    metrics_port: int = Field(
        0, ge=0, le=65_535, description="port on which a worker or relay serves its own /metrics; 0: none"
    )

    @field_validator("allowed_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split_commas(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies_are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            ip_network(network, strict=False)
        return value

    @field_validator("classifier_url")
    @classmethod
    def _classifier_is_on_the_web(cls, value: SecretStr) -> SecretStr:
        parts = urlsplit(value.get_secret_value())
        if value and not (parts.scheme in {"http", "https"} and parts.hostname):
            raise ValueError("an http or https address")
        return value

    @field_validator("media_url")
    @classmethod
    def _is_a_store(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and not value.get_secret_value().startswith(("file:///", "s3://")):
            raise ValueError("must begin with file:/// or s3://")
        return value

    @field_validator("cdn_url", "public_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value.rstrip("/")

    @field_validator("graphiql", "introspection", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @model_validator(mode="after")
    def _production_is_strict(self) -> Self:
        secret = self.jwt_secret.get_secret_value()
        if secret and len(secret.encode()) < MINIMUM_SECRET_BYTES:
            raise ValueError(f"TIDINGS_JWT_SECRET must have at least {MINIMUM_SECRET_BYTES} bytes")
        if self.env != "production":
            return self
        if secret == DEVELOPMENT_JWT_SECRET and not self.jwks_url:
            raise ValueError("TIDINGS_JWT_SECRET or TIDINGS_JWKS_URL must be set in production")
        cursor = self.cursor_secret.get_secret_value()
        if cursor and len(cursor.encode()) < MINIMUM_SECRET_BYTES:
            raise ValueError(f"TIDINGS_CURSOR_SECRET must have at least {MINIMUM_SECRET_BYTES} bytes")
        if secret == DEVELOPMENT_JWT_SECRET and not cursor:
            raise ValueError("TIDINGS_CURSOR_SECRET must be set in production where only TIDINGS_JWKS_URL is used")
        if self.media_url.get_secret_value().startswith("file:") and not (self.public_url or self.cdn_url):
            raise ValueError("TIDINGS_PUBLIC_URL must be set in production where TIDINGS_MEDIA_URL is a folder")
        if self.limits == "off":
            raise ValueError("TIDINGS_LIMITS=off is refused in production")
        return self

    @property
    def is_development(self) -> bool:
        return self.env == "development"

    @property
    def has_graphiql(self) -> bool:
        return self.is_development if self.graphiql is None else self.graphiql

    @property
    def has_introspection(self) -> bool:
        return self.is_development if self.introspection is None else self.introspection

    @property
    def hs256_secret(self) -> str | None:
        """The secret for HS256 tokens; None where only a key set counts (the development secret never does in production)."""
        secret = self.jwt_secret.get_secret_value()
        if not secret or (self.env == "production" and secret == DEVELOPMENT_JWT_SECRET):
            return None
        return secret

    @property
    def cursor_key(self) -> bytes:
        """What seals cursors: the same in every process of a deployment."""
        return (self.cursor_secret.get_secret_value() or self.jwt_secret.get_secret_value()).encode()
