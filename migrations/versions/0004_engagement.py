"""Likes, comments, bookmarks, notifications, media, reports, and what keeps them exact."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What is in flight may be below nothing for a moment where a counter has drifted: that must not stop the others.
    op.drop_constraint(op.f("ck_posts_counts_not_negative"), "posts", type_="check")
    op.create_check_constraint(op.f("ck_posts_share_count_not_negative"), "posts", "share_count >= 0")
    op.create_table(
        "activities",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("last_follower_id", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("parked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('post', 'like', 'comment', 'share', 'bookmark', 'follow', 'follow_request')",
            name=op.f("ck_activities_kind"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activities")),
    )
    op.create_index(
        "ix_activities_due",
        "activities",
        ["next_attempt_at", "id"],
        unique=False,
        postgresql_where=sa.text("parked_at IS NULL"),
    )
    op.create_table(
        "bookmarks",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("post_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "post_id", name=op.f("pk_bookmarks")),
    )
    op.create_index(
        "ix_bookmarks_recent",
        "bookmarks",
        ["user_id", sa.literal_column("created_at DESC"), sa.literal_column("post_id DESC")],
        unique=False,
    )
    op.create_table(
        "comments",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("post_id", sa.BigInteger(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comments")),
    )
    op.create_index(
        "ix_comments_author_id_id",
        "comments",
        ["author_id", sa.literal_column("id DESC")],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_comments_post_id_id",
        "comments",
        ["post_id", sa.literal_column("id DESC")],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "counter_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("post_id", sa.BigInteger(), nullable=False),
        sa.Column("likes", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("comments", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.CheckConstraint("likes <> 0 OR comments <> 0", name=op.f("ck_counter_changes_not_nothing")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_counter_changes")),
    )
    op.create_index(
        "ix_counter_changes_post_id", "counter_changes", ["post_id"], unique=False, postgresql_include=["likes", "comments"]
    )
    # Rows live for a moment, so the table is small and its garbage is not: cleaned early, by its number alone. It keeps its
    # pages, because a plan that was made for an empty table would read all of it for each post once it has filled.
    op.execute(
        "ALTER TABLE counter_changes SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, "
        "autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000, "
        "autovacuum_vacuum_cost_delay = 0, vacuum_truncate = false)"
    )
    op.create_table(
        "hashtag_trends",
        sa.Column("hashtag_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("recent_post_count", sa.Integer(), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hashtag_id", name=op.f("pk_hashtag_trends")),
    )
    op.create_index(
        "ix_hashtag_trends_score",
        "hashtag_trends",
        [sa.literal_column("score DESC"), sa.literal_column("hashtag_id DESC")],
        unique=False,
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("operation", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("result_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "operation", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "likes",
        sa.Column("post_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("post_id", "user_id", name=op.f("pk_likes")),
    )
    op.create_index(
        "ix_likes_recent",
        "likes",
        ["post_id", sa.literal_column("created_at DESC"), sa.literal_column("user_id DESC")],
        unique=False,
    )
    op.create_table(
        "media",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=8), server_default="PENDING", nullable=False),
        sa.Column("content_type", sa.String(length=64), nullable=False),
        sa.Column("byte_size", sa.Integer(), nullable=False),
        sa.Column("alt_text", sa.Text(), nullable=True),
        sa.Column("upload_key", sa.Text(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=True),
        sa.Column("thumbnail_key", sa.Text(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("collect_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('IMAGE', 'VIDEO')", name=op.f("ck_media_kind")),
        sa.CheckConstraint("state IN ('PENDING', 'READY', 'REJECTED')", name=op.f("ck_media_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media")),
    )
    op.create_index("ix_media_owner_id_id", "media", ["owner_id", sa.literal_column("id DESC")], unique=False)
    op.create_index(
        "ix_media_collectable", "media", ["collect_at"], unique=False, postgresql_where=sa.text("collect_at IS NOT NULL")
    )
    op.create_index(
        "ix_media_unprocessed",
        "media",
        ["next_attempt_at"],
        unique=False,
        postgresql_where=sa.text("state = 'PENDING' AND finished_at IS NOT NULL"),
    )
    op.create_table(
        "notification_actors",
        sa.Column("notification_id", sa.BigInteger(), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=False),
        sa.Column("acted_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("comment_id", sa.BigInteger(), nullable=True),
        sa.Column("share_id", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("notification_id", "actor_id", name=op.f("pk_notification_actors")),
    )
    op.create_index(
        "ix_notification_actors_newest",
        "notification_actors",
        ["notification_id", sa.literal_column("acted_at DESC"), sa.literal_column("actor_id DESC")],
        unique=False,
    )
    op.create_table(
        "notification_positions",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("read_to", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_notification_positions")),
    )
    op.create_table(
        "notifications",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("recipient_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("post_id", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('LIKE', 'COMMENT', 'SHARE', 'FOLLOW', 'FOLLOW_REQUEST', 'MENTION', 'CLOSE_FRIEND_POST')",
            name=op.f("ck_notifications_kind"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
    )
    op.create_index(
        "ix_notifications_groups",
        "notifications",
        ["recipient_id", "kind", "post_id", sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_notifications_recipient_id_place", "notifications", ["recipient_id", sa.literal_column("place DESC")], unique=False
    )
    op.create_table(
        "post_media",
        sa.Column("post_id", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("media_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("post_id", "place", name=op.f("pk_post_media")),
    )
    op.create_index("uq_post_media_media_id", "post_media", ["media_id"], unique=True)
    op.create_table(
        "reports",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("post_id", sa.BigInteger(), nullable=False),
        sa.Column("reporter_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("comment", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("reason IN ('SPAM', 'ABUSE', 'ILLEGAL', 'OTHER')", name=op.f("ck_reports_reason")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
    )
    op.create_index("ix_reports_open", "reports", ["id"], unique=False, postgresql_where=sa.text("handled_at IS NULL"))
    op.create_index("uq_reports_post_id_reporter_id", "reports", ["post_id", "reporter_id"], unique=True)
    op.create_table(
        "walks",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_walks")),
    )
    op.create_table(
        "turns",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_turns")),
    )
    op.add_column("follows", sa.Column("interaction_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_follows_close_friends",
        "follows",
        ["followee_id", "follower_id"],
        unique=False,
        postgresql_where=sa.text("close_friend"),
    )
    op.add_column("posts", sa.Column("imported_engagement", sa.Float(), server_default=sa.text("0"), nullable=False))
    # So far the score held nothing but what was imported.
    op.execute("UPDATE posts SET imported_engagement = engagement_score WHERE engagement_score <> 0")
    op.add_column("users", sa.Column("avatar_media_id", sa.BigInteger(), nullable=True))
    op.add_column("users", sa.Column("avatar_key", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("users", "avatar_key")
    op.drop_column("users", "avatar_media_id")
    op.drop_column("posts", "imported_engagement")
    op.drop_index("ix_follows_close_friends", table_name="follows", postgresql_where=sa.text("close_friend"))
    op.drop_column("follows", "interaction_at")
    op.drop_table("turns")
    op.drop_table("walks")
    op.drop_table("reports")
    op.drop_table("post_media")
    op.drop_table("notifications")
    op.drop_table("notification_positions")
    op.drop_table("notification_actors")
    op.drop_table("media")
    op.drop_table("likes")
    op.drop_table("idempotency_keys")
    op.drop_table("hashtag_trends")
    op.drop_table("counter_changes")
    op.drop_table("comments")
    op.drop_table("bookmarks")
    op.drop_table("activities")
    # Nobody liked or commented before.
    op.execute("UPDATE posts SET like_count = 0, comment_count = 0 WHERE like_count <> 0 OR comment_count <> 0")
    op.drop_constraint(op.f("ck_posts_share_count_not_negative"), "posts", type_="check")
    op.create_check_constraint(
        op.f("ck_posts_counts_not_negative"), "posts", "like_count >= 0 AND comment_count >= 0 AND share_count >= 0"
    )
