from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.model import Model


class Deployment(Model):
    """The one row that tells this database from any other, also from one with the same imported accounts."""

    __tablename__ = "deployment"
    __table_args__ = (CheckConstraint("only_row", name="one_row"),)

    only_row: Mapped[bool] = mapped_column(Boolean, primary_key=True, server_default=text("true"))
    identity: Mapped[str] = mapped_column(Text)
    """Eight random hexadecimal digits, drawn by the migration that made the table. Never changed."""
    pulled_version: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """Grows in every transaction in which an author is pulled for the first time: which of a viewer's authors are pulled
    depends on this and the viewer's graph version alone."""
