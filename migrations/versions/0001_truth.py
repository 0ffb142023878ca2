"""The database's identity, accounts, follows, posts, outbox, and the function that makes ids."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import UserDefinedType

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# milliseconds since 1970 (41 bits) | sequence (12) | shard (10); see domain/ids.py.
NEXT_ID = """
CREATE FUNCTION next_id(shard bigint) RETURNS bigint LANGUAGE sql VOLATILE PARALLEL UNSAFE AS $$
  SELECT (floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint << 22)
       | (nextval('id_sequence') << 10)
       | (shard & 1023)
$$
"""


class Xid8(UserDefinedType[str]):
    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "XID8"


def upgrade() -> None:
    op.execute("CREATE SEQUENCE id_sequence AS bigint MINVALUE 0 MAXVALUE 4095 CYCLE")
    op.execute(NEXT_ID)
    op.create_table(
        "deployment",
        sa.Column("only_row", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.CheckConstraint("only_row", name=op.f("ck_deployment_one_row")),
        sa.PrimaryKeyConstraint("only_row", name=op.f("pk_deployment")),
    )
    op.execute("INSERT INTO deployment (identity) SELECT substr(md5(random()::text || clock_timestamp()::text), 1, 8)")
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=False),
        sa.Column("post_id", sa.BigInteger(), nullable=False),
        sa.Column("xact_id", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("unheard", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_follower_id", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("parked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('post_published', 'post_edited', 'post_deleted')", name=op.f("ck_outbox_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index(
        "ix_outbox_closed_at", "outbox", ["closed_at"], unique=False, postgresql_where=sa.text("closed_at IS NOT NULL")
    )
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["next_attempt_at"],
        unique=False,
        postgresql_where=sa.text("closed_at IS NULL AND parked_at IS NULL"),
    )
    op.create_index(
        "ix_outbox_open_posts",
        "outbox",
        ["author_id", sa.literal_column("post_id DESC")],
        unique=False,
        postgresql_where=sa.text("closed_at IS NULL AND kind = 'post_published'"),
    )
    op.create_index("ix_outbox_xact_id", "outbox", ["xact_id"], unique=False)
    op.create_table(
        "heartbeats",
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("instance", sa.String(length=128), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("role", "instance", name=op.f("pk_heartbeats")),
    )
    op.create_table(
        "users",
        sa.Column(
            "id",
            sa.BigInteger(),
            server_default=sa.text("next_id((random() * 1023)::integer)"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("external_id", sa.String(length=255), nullable=False),
        sa.Column("username", sa.String(length=50), nullable=False),
        sa.Column("display_name", sa.String(length=100), server_default="", nullable=False),
        sa.Column("bio", sa.Text(), server_default="", nullable=False),
        sa.Column("avatar_url", sa.Text(), nullable=True),
        sa.Column("is_verified", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_private", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("has_pulled_posts", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("shadow_banned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("follower_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("following_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("post_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_active_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("graph_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("settings", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.CheckConstraint("username ~ '^[A-Za-z0-9_]{1,50}$'", name=op.f("ck_users_username_form")),
        sa.CheckConstraint(
            "follower_count >= 0 AND following_count >= 0 AND post_count >= 0",
            name=op.f("ck_users_counts_not_negative"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
    )
    op.create_index("ix_users_pulled", "users", ["id"], unique=False, postgresql_where=sa.text("has_pulled_posts"))
    op.create_index("uq_users_external_id", "users", ["external_id"], unique=True)
    op.create_index("uq_users_username_lower", "users", [sa.literal_column("lower(username)")], unique=True)
    op.create_table(
        "follow_requests",
        sa.Column("follower_id", sa.BigInteger(), nullable=False),
        sa.Column("followee_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.CheckConstraint("follower_id <> followee_id", name=op.f("ck_follow_requests_not_self")),
        sa.PrimaryKeyConstraint("follower_id", "followee_id", name=op.f("pk_follow_requests")),
    )
    op.create_index(
        "ix_follow_requests_followee_id_follower_id", "follow_requests", ["followee_id", "follower_id"], unique=False
    )
    op.create_table(
        "follows",
        sa.Column("follower_id", sa.BigInteger(), nullable=False),
        sa.Column("followee_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("interaction_score", sa.Float(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("follower_id <> followee_id", name=op.f("ck_follows_not_self")),
        sa.PrimaryKeyConstraint("follower_id", "followee_id", name=op.f("pk_follows")),
    )
    op.create_index("ix_follows_followee_id_follower_id", "follows", ["followee_id", "follower_id"], unique=False)
    op.create_index(
        "ix_follows_followers_recent",
        "follows",
        ["followee_id", sa.literal_column("created_at DESC"), sa.literal_column("follower_id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_follows_following_recent",
        "follows",
        ["follower_id", sa.literal_column("created_at DESC"), sa.literal_column("followee_id DESC")],
        unique=False,
    )
    op.create_table(
        "posts",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=False),
        sa.Column("source_id", sa.String(length=64), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("entities", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("media_links", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("visibility", sa.String(length=8), server_default="PUBLIC", nullable=False),
        sa.Column("location_name", sa.String(length=200), nullable=True),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("like_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("comment_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("share_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("engagement_score", sa.Float(), server_default=sa.text("0"), nullable=False),
        sa.Column("delivery", sa.String(length=4), nullable=True),
        sa.CheckConstraint("delivery IN ('PUSH', 'PULL')", name=op.f("ck_posts_delivery")),
        sa.CheckConstraint("visibility IN ('PUBLIC', 'FRIENDS', 'PRIVATE')", name=op.f("ck_posts_visibility")),
        sa.CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name=op.f("ck_posts_location_whole")),
        sa.CheckConstraint(
            "latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180", name=op.f("ck_posts_location_range")
        ),
        sa.CheckConstraint(
            "like_count >= 0 AND comment_count >= 0 AND share_count >= 0", name=op.f("ck_posts_counts_not_negative")
        ),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name=op.f("fk_posts_author_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_posts")),
    )
    op.create_index("ix_posts_author_id_id", "posts", ["author_id", sa.literal_column("id DESC")], unique=False)
    op.create_index(
        "ix_posts_pulled",
        "posts",
        ["author_id", sa.literal_column("id DESC")],
        unique=False,
        postgresql_where=sa.text("delivery = 'PULL' AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_posts_source_id", "posts", ["source_id"], unique=True, postgresql_where=sa.text("source_id IS NOT NULL")
    )


def downgrade() -> None:
    op.drop_index("uq_posts_source_id", table_name="posts", postgresql_where=sa.text("source_id IS NOT NULL"))
    op.drop_index("ix_posts_pulled", table_name="posts", postgresql_where=sa.text("delivery = 'PULL' AND deleted_at IS NULL"))
    op.drop_index("ix_posts_author_id_id", table_name="posts")
    op.drop_table("posts")
    op.drop_index("ix_follows_following_recent", table_name="follows")
    op.drop_index("ix_follows_followers_recent", table_name="follows")
    op.drop_index("ix_follows_followee_id_follower_id", table_name="follows")
    op.drop_table("follows")
    op.drop_index("ix_follow_requests_followee_id_follower_id", table_name="follow_requests")
    op.drop_table("follow_requests")
    op.drop_index("ix_users_pulled", table_name="users", postgresql_where=sa.text("has_pulled_posts"))
    op.drop_index("uq_users_username_lower", table_name="users")
    op.drop_index("uq_users_external_id", table_name="users")
    op.drop_table("users")
    op.drop_index("ix_outbox_xact_id", table_name="outbox")
    op.drop_index(
        "ix_outbox_open_posts",
        table_name="outbox",
        postgresql_where=sa.text("closed_at IS NULL AND kind = 'post_published'"),
    )
    op.drop_index("ix_outbox_due", table_name="outbox", postgresql_where=sa.text("closed_at IS NULL AND parked_at IS NULL"))
    op.drop_index("ix_outbox_closed_at", table_name="outbox", postgresql_where=sa.text("closed_at IS NOT NULL"))
    op.drop_table("outbox")
    op.drop_table("heartbeats")
    op.drop_table("deployment")
    op.execute("DROP FUNCTION next_id(bigint)")
    op.execute("DROP SEQUENCE id_sequence")
