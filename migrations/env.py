"""Alembic's environment: async engine, one migrator at a time, short lock waits."""

from __future__ import annotations

import asyncio

from alembic import context
from sqlalchemy import Connection, pool, text
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.ext.asyncio import create_async_engine

from db.database import sqlalchemy_url
from db.models import Model
from db.models.outbox import Xid8
from settings import Settings

# Several processes may start at once: the first one migrates, the others wait here and then find nothing to do.
MIGRATION_LOCK = 7_305_811
LOCK_TIMEOUT = "5s"
"""A migration gives up rather than queue behind a long transaction and block every query behind itself."""

ischema_names["xid8"] = Xid8


def run(connection: Connection) -> None:
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    context.configure(
        connection=connection,
        target_metadata=Model.metadata,
        compare_server_default=False,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_online() -> None:
    url = context.config.attributes.get("database_url") or Settings().database_url.get_secret_value()
    if not url:
        raise SystemExit("TIDINGS_DATABASE_URL is not set; `tidings migrate` finds the development servers by itself")
    engine = create_async_engine(sqlalchemy_url(url), poolclass=pool.NullPool, connect_args={"timeout": 5})
    try:
        async with engine.connect() as guard:
            await guard.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
            async with engine.connect() as connection:
                await connection.run_sync(run)
                await connection.commit()
    finally:
        await engine.dispose()


def run_offline() -> None:
    context.configure(dialect_name="postgresql", target_metadata=Model.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    run_offline()
else:
    asyncio.run(run_online())
