"""Changes of feeds in the outbox, each with what was before it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_KINDS = "kind IN ('post_published', 'post_edited', 'post_deleted', 'feed_changed', 'account_changed')"
_OLD_KINDS = "kind IN ('post_published', 'post_edited', 'post_deleted')"


def upgrade() -> None:
    op.add_column("outbox", sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.alter_column("outbox", "post_id", existing_type=sa.BigInteger(), nullable=True)
    op.drop_constraint(op.f("ck_outbox_kind"), "outbox", type_="check")
    op.create_check_constraint(op.f("ck_outbox_kind"), "outbox", _KINDS)
    op.create_index("ix_outbox_open", "outbox", ["id"], postgresql_where=sa.text("closed_at IS NULL"))
    op.create_index("ix_outbox_post_id", "outbox", ["post_id"], postgresql_where=sa.text("post_id IS NOT NULL"))
    op.create_index("ix_outbox_changes", "outbox", ["author_id", "id"], postgresql_where=sa.text("post_id IS NULL"))
    op.create_index(
        "ix_posts_shared_post_id", "posts", ["shared_post_id"], postgresql_where=sa.text("shared_post_id IS NOT NULL")
    )


def downgrade() -> None:
    op.drop_index("ix_outbox_open", table_name="outbox", postgresql_where=sa.text("closed_at IS NULL"))
    op.drop_index("ix_posts_shared_post_id", table_name="posts")
    op.drop_index("ix_outbox_changes", table_name="outbox")
    op.drop_index("ix_outbox_post_id", table_name="outbox")
    op.execute("DELETE FROM outbox WHERE post_id IS NULL")
    op.drop_constraint(op.f("ck_outbox_kind"), "outbox", type_="check")
    op.create_check_constraint(op.f("ck_outbox_kind"), "outbox", _OLD_KINDS)
    op.alter_column("outbox", "post_id", existing_type=sa.BigInteger(), nullable=False)
    op.drop_column("outbox", "before")
