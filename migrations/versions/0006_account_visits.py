"""When accounts were last in use: apart from their rows, whose versions say whether what is remembered of them still holds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_visits",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last_active_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_account_visits")),
    )
    op.execute(
        "INSERT INTO account_visits (user_id, last_active_at)"
        " SELECT id, last_active_at FROM users WHERE last_active_at IS NOT NULL"
    )
    op.drop_column("users", "last_active_at")


def downgrade() -> None:
    op.add_column("users", sa.Column("last_active_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE users u SET last_active_at = v.last_active_at FROM account_visits v WHERE v.user_id = u.id")
    op.drop_table("account_visits")
