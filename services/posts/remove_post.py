"""What belongs to a post's end, whoever brings it about: its author, who takes a share back, or a moderator."""

from __future__ import annotations

from db import posts, shares
from db.activities import note_activity
from db.database import WriteSession
from db.feed_changes import note_deletion
from db.post_hashtags import write_post_hashtags
from db.post_media import discard_media_of_post
from domain.activities import ActivityKind
from domain.records import PostRecord, Visibility
from services.backends import Backends
from services.posts.text_entities import hashtag_names


async def remove_post_in(session: WriteSession, post: PostRecord) -> None:
    """Marks a post as deleted that exists and that this transaction has locked; keeps all counts, and promises the rest.

    After the commit the caller calls `ring_for_removed`.
    """
    await note_deletion(session, post.id)
    await posts.mark_post_deleted(session, post.id)
    await discard_media_of_post(session, post.id)
    if post.shared_post_id is not None:
        await shares.add_to_share_count(session, post.shared_post_id, -1)
        await note_activity(session, ActivityKind.SHARE, actor_id=post.author_id, subject_id=post.id)
    if post.visibility is Visibility.PUBLIC and not post.is_plain_share:
        await posts.add_to_post_count(session, post.author_id, -1)
        names = hashtag_names(post.entity_rows)
        await write_post_hashtags(session, post.id, before=names, after=names, was_counted=True, is_counted=False)


def ring_for_removed(backends: Backends, post: PostRecord) -> None:
    """Relays have something to deliver, and what the post passed on is shared once less."""
    backends.relay_bell.ring()
    if post.shared_post_id is not None:
        backends.live_bell.ring_counts([post.shared_post_id])
