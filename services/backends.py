"""What use cases work with: the open servers and the rules of this deployment. Filled in `bootstrap.py`, passed explicitly."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import timedelta

from cache.changes import Changes
from cache.client import RedisClient
from cache.log_writer import LogWriter
from cache.pulled_authors import PulledAuthors
from cache.pulled_posts import PulledPosts
from cache.timelines import Timelines
from db.database import Database
from db.relay_bell import RelayBell
from domain.audience import AudienceRule
from domain.cursors import CursorSealer
from live.bell import LiveBell
from live.event_logs import EventLogs
from services.accounts.account_shelf import AccountShelf
from services.fan_out.audiences import Audiences
from services.fan_out.turns import Turns
from services.feeds.feed_shelf import FeedShelf
from services.idempotency.attempts_under_way import AttemptsUnderWay
from services.media.media_rules import MediaDesk
from services.memory.memory import Memory
from services.observer import Observer
from services.posts.gathered_posts import GatheredPosts
from services.protection.budgets import Budgets
from services.protection.publication import PublicationRule


@dataclass(frozen=True, slots=True)
class FeedPolicy:
    """The tunable numbers of the feed. Units in the names; followers, entries, accounts otherwise."""

    celebrity_threshold: int
    fanout_batch: int
    fanout_cache_batch: int
    follow_limit: int
    repeat_window: timedelta
    outbox_lease_seconds: float
    outbox_retention: timedelta
    fanout_writes_per_second: float = math.inf
    """Timeline entries a second that one author may cause; whoever causes more is pulled."""
    pull_hysteresis: float = 0.0

    @property
    def audience_rule(self) -> AudienceRule:
        return AudienceRule(self.celebrity_threshold, self.fanout_writes_per_second, self.pull_hysteresis)


@dataclass(frozen=True, slots=True)
class Backends:
    """Everything a use case may need. Nothing here is global."""

    database: Database
    replica: Database | None
    """Asked for pages where the database does not answer."""
    changes: Changes
    feed_shelf: FeedShelf
    account_shelf: AccountShelf
    redis: RedisClient
    timelines: Timelines
    pulled_posts: PulledPosts
    pulled_authors: PulledAuthors
    gathered_posts: GatheredPosts
    relay_bell: RelayBell
    live_bell: LiveBell
    event_logs: EventLogs
    """To be read."""
    log_writer: LogWriter
    sealer: CursorSealer
    policy: FeedPolicy
    observer: Observer
    memory: Memory | None = None
    """None where a process remembers nothing of the truth."""
    audiences: Audiences = field(default_factory=Audiences)
    turns: Turns = field(default_factory=Turns)
    attempts: AttemptsUnderWay = field(default_factory=AttemptsUnderWay)
    budgets: Budgets | None = None
    """None where there are no limits on use."""
    publication_rules: tuple[PublicationRule, ...] = ()
    """Asked in this order about what is to be published."""
    media: MediaDesk = field(default_factory=MediaDesk)
