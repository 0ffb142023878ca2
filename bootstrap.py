"""The wiring, on one screen: opens PostgreSQL and Redis, builds `Backends`, closes in reverse.

The web's lifespan, the workers' boot, the commands and the tests use the same function.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from cache.changes import Changes
from cache.client import RedisClient
from cache.log_writer import LogWriter
from cache.pulled_authors import PulledAuthors
from cache.pulled_posts import PulledPosts
from cache.rate_limits import RateLimits
from cache.said_texts import SaidTexts
from cache.shelves import Shelves
from cache.timelines import Timelines
from db.database import Database
from db.relay_bell import RelayBell
from domain.cursors import CursorSealer
from live.bell import RedisBell
from live.event_logs import EventLogs
from services.accounts.account_shelf import AccountShelf
from services.backends import Backends, FeedPolicy
from services.fan_out.audiences import Audiences
from services.feeds.feed_shelf import FeedShelf
from services.media.media_rules import MediaDesk
from services.media.open_store import open_media_store
from services.memory.gathered_facts import GatheredFacts
from services.memory.gathered_marks import GatheredMarks
from services.memory.known_posts import KnownPosts
from services.memory.known_viewers import KnownViewers
from services.memory.memory import Memory
from services.observer import Observer, SilentObserver
from services.posts.gathered_posts import GatheredPosts
from services.protection.budgets import Budgets
from services.protection.publication import PublicationRule
from services.protection.rules.duplicate_text import DuplicateText
from services.protection.rules.external_classifier import ExternalClassifier
from services.protection.rules.too_many_mentions import TooManyMentions
from settings import Settings

JOB_TIMEOUT_SECONDS = 30.0
"""Deadline of a statement in the background, where nobody waits for an answer within two seconds."""
JOB_REDIS_TIMEOUT_SECONDS = 2.0
REPLICA_TIMEOUT_SECONDS = 0.6
STORE_TIMEOUT_SECONDS = 1.2
"""Of one call to the store of media by a request."""
JOB_STORE_TIMEOUT_SECONDS = 15.0
"""Of what is left to a request when the primary has been found to be away."""


@asynccontextmanager
async def open_backends(
    settings: Settings, *, is_background: bool = False, observer: Observer | None = None
) -> AsyncIterator[Backends]:
    """Everything a use case needs. Connects lazily: servers that are away now may be there at the first use.

    `is_background`: for workers and commands, whose statements may take longer than a request's.
    """
    database_url = settings.database_url.get_secret_value()
    redis_url = settings.redis_url.get_secret_value()
    if not database_url or not redis_url:
        raise ValueError("TIDINGS_DATABASE_URL and TIDINGS_REDIS_URL must be set; `tidings dev` sets them by itself")
    async with AsyncExitStack() as stack:
        redis = RedisClient(
            redis_url, timeout_seconds=JOB_REDIS_TIMEOUT_SECONDS if is_background else settings.redis_timeout_seconds
        )
        stack.push_async_callback(redis.close)
        changes = Changes(redis, keep=settings.feed_ttl)
        stack.push_async_callback(changes.close)
        database = Database(
            database_url,
            pool_size=settings.database_pool_size,
            timeout_seconds=JOB_TIMEOUT_SECONDS if is_background else settings.database_timeout_seconds,
            fails_fast=not is_background,
            on_change=changes.stamp,
        )
        stack.push_async_callback(database.close)
        replica = _open_replica(settings)
        if replica is not None:
            stack.push_async_callback(replica.close)
        sealer = CursorSealer(settings.cursor_key)
        shelves = Shelves(redis, database_url=database_url, ttl=settings.feed_ttl)
        feed_shelf = FeedShelf(shelves, changes, sealer)
        stack.push_async_callback(feed_shelf.close)
        account_shelf = AccountShelf(shelves, changes)
        stack.push_async_callback(account_shelf.close)
        gathered_posts = GatheredPosts(database)
        stack.push_async_callback(gathered_posts.close)
        relay_bell = RelayBell(database)
        stack.push_async_callback(relay_bell.close)
        live_bell = RedisBell(redis.redis)
        stack.push_async_callback(live_bell.close)
        observer = observer or SilentObserver()
        memory = _open_memory(database, settings)
        if memory is not None:
            stack.push_async_callback(memory.close)
        rate_limits = RateLimits(redis) if settings.limits == "on" else None
        if rate_limits is not None:
            stack.push_async_callback(rate_limits.close)
        yield Backends(
            database=database,
            replica=replica,
            changes=changes,
            feed_shelf=feed_shelf,
            account_shelf=account_shelf,
            redis=redis,
            timelines=Timelines(redis, cap=settings.feed_cap, ttl=settings.feed_ttl),
            pulled_posts=PulledPosts(redis, cap=settings.pulled_cap, ttl=settings.feed_ttl),
            pulled_authors=PulledAuthors(redis, ttl=settings.feed_ttl),
            gathered_posts=gathered_posts,
            relay_bell=relay_bell,
            live_bell=live_bell,
            event_logs=EventLogs(redis),
            log_writer=LogWriter(redis),
            sealer=sealer,
            policy=FeedPolicy(
                celebrity_threshold=settings.celebrity_threshold,
                fanout_batch=settings.fanout_batch,
                fanout_cache_batch=settings.fanout_cache_batch,
                follow_limit=settings.follow_limit,
                repeat_window=settings.repeat_window,
                outbox_lease_seconds=settings.outbox_lease_seconds,
                outbox_retention=settings.outbox_retention,
                fanout_writes_per_second=settings.fanout_writes_per_second,
                pull_hysteresis=settings.pull_hysteresis,
            ),
            observer=observer,
            memory=memory,
            audiences=Audiences(settings.follower_cache_ids),
            media=_open_media(settings, is_background=is_background),
            budgets=Budgets(rate_limits, observer) if rate_limits is not None else None,
            publication_rules=_publication_rules(settings, redis, stack),
        )


def _open_memory(database: Database, settings: Settings) -> Memory | None:
    if not settings.memory_posts:
        return None
    return Memory(
        KnownPosts(database, size=settings.memory_posts),
        KnownViewers(database, size=settings.memory_relations),
        GatheredMarks(database),
        GatheredFacts(database),
    )


def _publication_rules(settings: Settings, redis: RedisClient, stack: AsyncExitStack) -> tuple[PublicationRule, ...]:
    """The cheapest first; whoever is elsewhere last."""
    rules: list[PublicationRule] = [TooManyMentions()]
    if settings.limits == "on":
        rules.append(DuplicateText(SaidTexts(redis)))
    url = settings.classifier_url.get_secret_value()
    if url:
        classifier = ExternalClassifier(
            url,
            timeout_seconds=settings.classifier_timeout_seconds,
            fails_open=settings.classifier_fails_open,
            pseudonym_key=settings.cursor_key,
        )
        stack.push_async_callback(classifier.close)
        rules.append(classifier)
    return tuple(rules)


def _open_media(settings: Settings, *, is_background: bool) -> MediaDesk:
    store = open_media_store(
        settings.media_url.get_secret_value(),
        cdn_url=settings.cdn_url,
        public_url=settings.public_url,
        secret=settings.cursor_key,
        upload_ttl=settings.upload_ttl,
        timeout_seconds=JOB_STORE_TIMEOUT_SECONDS if is_background else STORE_TIMEOUT_SECONDS,
    )
    return MediaDesk(store, upload_limit=settings.upload_limit, upload_ttl=settings.upload_ttl)


def _open_replica(settings: Settings) -> Database | None:
    url = settings.database_replica_url.get_secret_value()
    if not url:
        return None
    # Asked only after the primary has used up part of a request's time.
    timeout = min(settings.database_timeout_seconds, REPLICA_TIMEOUT_SECONDS)
    return Database(url, pool_size=settings.database_pool_size, timeout_seconds=timeout, fails_fast=True)
