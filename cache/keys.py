"""Every Redis key of the rebuildable part, in one place. A viewer's keys share one hash tag: one cluster slot."""

from __future__ import annotations

from domain.event_log import log_key


def timeline(viewer_id: int) -> str:
    """Sorted set: the viewer's home timeline with its marker inside. (Those of an older layout were called `tl`.)"""
    return f"ht:{{{viewer_id}}}"


event_log = log_key
"""Stream: which outbox rows concern the viewer."""


def pulled_posts(author_id: int) -> str:
    """Sorted set: the newest pulled posts of an author, laid out as a timeline."""
    return f"pl:{{{author_id}}}"


def pulled_authors(viewer_id: int) -> str:
    """String: which of the accounts that a viewer follows have pulled posts, with the versions that this was made from."""
    return f"pa:{{{viewer_id}}}"


NEWEST_TIMELINE_FLOOR = "ht-newest-floor"
"""String: the newest of the last entries of all cut timelines. It never expires: without it each is asked for its own."""
NEWEST_PULLED_FLOOR = "pl-newest-floor"
"""The same of pulled posts."""
CHANGES = "changes"
"""Sorted set: the newest changes of what copied pages depend on."""


def shelf(database: str, viewer_id: int) -> str:
    """String: a copy of the first page of a viewer's feed, made from the database of that name."""
    return f"sh:{database}:{{{viewer_id}}}"


def account(database: str, external_id: str) -> str:
    """String: a copy of the account of a token's subject."""
    return f"ac:{database}:{external_id}"


def budget(account: str) -> str:
    """String: when somebody's budget is full again."""
    return f"rl:{account}"


def said_texts(author_id: int) -> str:
    """Hash: what an account has published within the last hour, by the digest of the text."""
    return f"tx:{{{author_id}}}"
