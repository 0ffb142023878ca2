"""What an entry of a copied page depends on."""

from __future__ import annotations

from domain import subjects
from domain.feed import FeedEntry, FeedReasonKind, PageExtras
from domain.records import PostFacts


def facts_of(entry: FeedEntry) -> tuple[PostFacts, ...]:
    """The entry's post, and of a share what it shares."""
    return (entry.facts,) if entry.facts.root is None else (entry.facts, entry.facts.root)


def subjects_of_entry(entry: FeedEntry, extras: PageExtras, *, viewer_id: int) -> set[str]:
    """If one of them changes, the entry may not be shown as it is, or not at all."""
    found: set[str] = set()
    for facts in facts_of(entry):
        found |= {subjects.post(facts.post.id), *_of_account(facts.author.id, viewer_id)}
        found.add(subjects.marks(viewer_id, facts.post.root_id))
        quoted = extras.posts.get(facts.post.shared_post_id) if facts.post.shared_post_id is not None else None
        if quoted is not None:
            found |= {subjects.post(quoted.post.id), *_of_account(quoted.author.id, viewer_id)}
            found.add(subjects.marks(viewer_id, quoted.post.root_id))
    for reason in entry.reasons:
        for user in reason.users:
            found |= {*_of_account(user.id, viewer_id)}
            if reason.kind is FeedReasonKind.FOLLOWED_SHARER:
                found.add(subjects.share(user.id, entry.node.root_id))
        if reason.hashtag_id is not None:
            found.add(subjects.hashtag_follow(viewer_id, reason.hashtag_id))
    return found


def _of_account(user_id: int, viewer_id: int) -> tuple[str, str]:
    return subjects.account(user_id), subjects.relation(viewer_id, user_id)
