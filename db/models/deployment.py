from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.model import Model


class Deployment(Model):
    """The one row that tells this database from any other, also from one with the same imported accounts. Never changed."""

    __tablename__ = "deployment"
    __table_args__ = (CheckConstraint("only_row", name="one_row"),)

    only_row: Mapped[bool] = mapped_column(Boolean, primary_key=True, server_default=text("true"))
    identity: Mapped[str] = mapped_column(Text)
    """Eight random hexadecimal digits, drawn by the migration that made the table."""
