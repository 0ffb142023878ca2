from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.model import Model


class AccountVisit(Model):
    """When an account was last in use, to the hour. Apart from `users`: a new version of that row would have everybody read the
    account, and its posts, again (`db.viewer_looks`)."""

    __tablename__ = "account_visits"

    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    last_active_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("clock_timestamp()"))
