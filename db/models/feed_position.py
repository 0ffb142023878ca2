from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.model import Model


class FeedPosition(Model):
    """How far a viewer has read the home feed. Only ever grows. Apart from `users`, whose rows others lock by following."""

    __tablename__ = "feed_positions"

    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    position_id: Mapped[int] = mapped_column(BigInteger)
    """The newest entry that was seen."""
    moved_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("clock_timestamp()"))
