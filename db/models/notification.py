from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.model import Model


class Notification(Model):
    """What somebody should know: one row a group (kind and post within 12 hours of its first actor).

    Whether it is shown is judged when it is read, by the same rules as the post and the people in it.
    """

    __tablename__ = "notifications"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('LIKE', 'COMMENT', 'SHARE', 'FOLLOW', 'FOLLOW_REQUEST', 'MENTION', 'CLOSE_FRIEND_POST')", name="kind"
        ),
        Index("ix_notifications_recipient_id_place", "recipient_id", text("place DESC")),
        Index("ix_notifications_groups", "recipient_id", "kind", "post_id", text("id DESC")),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """`next_id(recipient's shard)`: carries when the group began."""
    recipient_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(Text)
    post_id: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """0 where it is about no post: then the index finds the group all the same."""
    place: Mapped[int] = mapped_column(BigInteger)
    """An id made when somebody last joined the group: the order of the list, and what is compared with how far was read."""


class NotificationActor(Model):
    """Somebody in a group. Who takes back what they did is withdrawn: not shown, and not told again when they do it again."""

    __tablename__ = "notification_actors"
    __table_args__ = (Index("ix_notification_actors_newest", "notification_id", text("acted_at DESC"), text("actor_id DESC")),)

    notification_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    actor_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    acted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("clock_timestamp()"))
    comment_id: Mapped[int | None] = mapped_column(BigInteger)
    """Of a comment (or a mention within one) the newest by this actor."""
    share_id: Mapped[int | None] = mapped_column(BigInteger)
    """Of a share the share or quote."""
    withdrawn_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class NotificationPosition(Model):
    """How far an account has read its notifications; never moves backwards.

    The row is also the lock under which groups of the account are formed.
    """

    __tablename__ = "notification_positions"

    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    read_to: Mapped[int] = mapped_column(BigInteger)
    """`place` of the newest one that was read."""
