from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, String, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.model import Model


class Turn(Model):
    """When regular work was last begun: one process at a time takes its turn (`db.turns`)."""

    __tablename__ = "turns"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    taken_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("clock_timestamp()"))


class Walk(Model):
    """How far regular work has come that walks through a table, a part at each turn, and begins again at its end."""

    __tablename__ = "walks"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger)
    """The id of the last row that was looked at."""
