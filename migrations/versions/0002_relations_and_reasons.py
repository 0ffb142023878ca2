"""Relations between people beyond following, hashtags, shares, and the reader's place."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NOW = sa.text("clock_timestamp()")
_PLAIN_SHARES = sa.text("is_plain_share AND deleted_at IS NULL")

# Whose reasons a viewer's feed is made of: followed accounts, and kept history up to an id.
FEED_SOURCES = """
CREATE VIEW feed_sources AS
  SELECT follower_id AS viewer_id, followee_id AS author_id, 9223372036854775807 AS until_id FROM follows
  UNION ALL
  SELECT viewer_id, author_id, until_id FROM kept_follows
"""

# Posts that are there already name hashtags, too. Before their table is altered: they stay readable meanwhile.
OLD_HASHTAGS = (
    """
    CREATE TEMP TABLE named_hashtags ON COMMIT DROP AS
    SELECT DISTINCT p.id AS post_id, e ->> 'h' AS name
    FROM posts p CROSS JOIN LATERAL jsonb_array_elements(p.entities) AS e WHERE e ->> 'h' IS NOT NULL
    """,
    "INSERT INTO hashtags (name) SELECT DISTINCT name FROM named_hashtags",
    """
    INSERT INTO post_hashtags (hashtag_id, post_id)
    SELECT h.id, n.post_id FROM named_hashtags n JOIN hashtags h USING (name) ORDER BY 1, 2
    """,
    """
    UPDATE hashtags h SET post_count = counted.posts FROM (
      SELECT l.hashtag_id, count(*) AS posts FROM post_hashtags l JOIN posts p ON p.id = l.post_id
      WHERE p.visibility = 'PUBLIC' AND p.deleted_at IS NULL GROUP BY 1
    ) AS counted WHERE h.id = counted.hashtag_id
    """,
)


def _two_sided(name: str, first: str, second: str, *columns: sa.Column[object]) -> None:
    op.create_table(
        name,
        sa.Column(first, sa.BigInteger(), nullable=False),
        sa.Column(second, sa.BigInteger(), nullable=False),
        *columns,
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.PrimaryKeyConstraint(first, second, name=op.f(f"pk_{name}")),
    )


def upgrade() -> None:
    op.add_column("deployment", sa.Column("pulled_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    for column in ("audience_version", "import_version"):
        op.add_column("users", sa.Column(column, sa.BigInteger(), server_default=sa.text("0"), nullable=False))

    op.add_column("follows", sa.Column("close_friend", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("follows", sa.Column("hide_shares", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("follows", sa.Column("daily_limit", sa.Integer(), nullable=True))
    op.create_check_constraint(op.f("ck_follows_daily_limit_positive"), "follows", "daily_limit > 0")

    _two_sided("kept_follows", "viewer_id", "author_id", sa.Column("until_id", sa.BigInteger(), nullable=False))
    op.create_check_constraint(op.f("ck_kept_follows_not_self"), "kept_follows", "viewer_id <> author_id")
    op.create_index("ix_kept_follows_author_id_viewer_id", "kept_follows", ["author_id", "viewer_id"])
    op.execute(FEED_SOURCES)

    _two_sided("blocks", "blocker_id", "blocked_id")
    op.create_check_constraint(op.f("ck_blocks_not_self"), "blocks", "blocker_id <> blocked_id")
    op.create_index("ix_blocks_blocked_id_blocker_id", "blocks", ["blocked_id", "blocker_id"])
    op.create_index("ix_blocks_recent", "blocks", ["blocker_id", sa.text("created_at DESC"), sa.text("blocked_id DESC")])

    _two_sided("mutes", "muter_id", "muted_id", sa.Column("until", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(op.f("ck_mutes_not_self"), "mutes", "muter_id <> muted_id")
    op.create_index("ix_mutes_recent", "mutes", ["muter_id", sa.text("created_at DESC"), sa.text("muted_id DESC")])

    op.create_table(
        "hashtags",
        sa.Column(
            "id",
            sa.BigInteger(),
            server_default=sa.text("next_id((random() * 1023)::integer)"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("post_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.CheckConstraint("post_count >= 0", name=op.f("ck_hashtags_count_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hashtags")),
    )
    op.create_index("uq_hashtags_name", "hashtags", ["name"], unique=True)
    op.create_table(
        "post_hashtags",
        sa.Column("hashtag_id", sa.BigInteger(), nullable=False),
        sa.Column("post_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hashtag_id", "post_id", name=op.f("pk_post_hashtags")),
    )
    for statement in OLD_HASHTAGS:
        op.execute(statement)
    op.create_index("ix_post_hashtags_post_id_hashtag_id", "post_hashtags", ["post_id", "hashtag_id"])
    _two_sided("hashtag_follows", "user_id", "hashtag_id")
    op.create_index(
        "ix_hashtag_follows_recent", "hashtag_follows", ["user_id", sa.text("created_at DESC"), sa.text("hashtag_id DESC")]
    )
    op.create_index("ix_hashtag_follows_hashtag_id_user_id", "hashtag_follows", ["hashtag_id", "user_id"])

    op.create_table(
        "feed_positions",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position_id", sa.BigInteger(), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_feed_positions")),
    )

    op.add_column("posts", sa.Column("shared_post_id", sa.BigInteger(), nullable=True))
    op.add_column("posts", sa.Column("is_plain_share", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_check_constraint(
        op.f("ck_posts_plain_share_form"), "posts", "NOT is_plain_share OR (shared_post_id IS NOT NULL AND text = '')"
    )
    op.create_index(
        "uq_posts_plain_share",
        "posts",
        ["shared_post_id", "author_id"],
        unique=True,
        postgresql_include=["id"],
        postgresql_where=_PLAIN_SHARES,
    )
    op.create_index(
        "ix_posts_plain_shares_recent", "posts", ["shared_post_id", sa.text("id DESC")], postgresql_where=_PLAIN_SHARES
    )


def downgrade() -> None:
    op.execute("DROP VIEW feed_sources")
    op.execute("DELETE FROM posts WHERE is_plain_share")
    for index in ("ix_posts_plain_shares_recent", "uq_posts_plain_share"):
        op.drop_index(index, table_name="posts")
    op.drop_constraint(op.f("ck_posts_plain_share_form"), "posts", type_="check")
    op.drop_column("posts", "is_plain_share")
    op.drop_column("posts", "shared_post_id")
    for table in ("feed_positions", "hashtag_follows", "post_hashtags", "hashtags", "mutes", "blocks", "kept_follows"):
        op.drop_table(table)
    op.drop_constraint(op.f("ck_follows_daily_limit_positive"), "follows", type_="check")
    for column in ("daily_limit", "hide_shares", "close_friend"):
        op.drop_column("follows", column)
    for column in ("import_version", "audience_version"):
        op.drop_column("users", column)
    op.drop_column("deployment", "pulled_version")
