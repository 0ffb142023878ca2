"""Accounts and how the viewer stands to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import text

from db.database import ReadSession, WriteSession
from db.feed_changes import note_account, note_preferences
from db.rows import RELATION_COLUMNS, RELATION_JOINS, USER_COLUMNS, USER_WIDTH, to_relation, to_user
from domain import subjects
from domain.moderation import ModerationChange
from domain.records import Relation, UserRecord

_BY_IDS = text(f"SELECT {USER_COLUMNS} FROM users u WHERE u.id = ANY(CAST(:ids AS bigint[]))")
_BY_USERNAMES = text(f"SELECT {USER_COLUMNS} FROM users u WHERE lower(u.username) = ANY(CAST(:names AS text[]))")
_PEOPLE = f"SELECT {USER_COLUMNS}, {RELATION_COLUMNS} FROM users u {RELATION_JOINS} WHERE "
_PEOPLE_BY_IDS = text(_PEOPLE + "u.id = ANY(CAST(:ids AS bigint[]))")
_PERSON_BY_USERNAME = text(_PEOPLE + "lower(u.username) = :name")
_BY_EXTERNAL_ID = text(f"SELECT {USER_COLUMNS} FROM users u WHERE u.external_id = :external_id")
_BY_EXTERNAL_IDS = text(f"SELECT {USER_COLUMNS} FROM users u WHERE u.external_id = ANY(CAST(:external_ids AS text[]))")
_RELATIONS = text(f"SELECT u.id, {RELATION_COLUMNS} FROM unnest(CAST(:ids AS bigint[])) AS u(id) {RELATION_JOINS}")
_INSERT = text(
    f"""
    INSERT INTO users AS u (external_id, username, display_name, avatar_url)
    VALUES (:external_id, :username, :display_name, :avatar_url)
    ON CONFLICT DO NOTHING
    RETURNING {USER_COLUMNS}
    """
)
_UPDATE = text(
    f"""
    UPDATE users AS u SET
      display_name = coalesce(CAST(:display_name AS text), u.display_name),
      bio = coalesce(CAST(:bio AS text), u.bio),
      is_private = coalesce(CAST(:is_private AS boolean), u.is_private)
    WHERE u.id = :user_id
    RETURNING {USER_COLUMNS}
    """
)
_SETTINGS = text("SELECT settings FROM users WHERE id = :user_id")
_RENEW = text("UPDATE users SET settings = settings WHERE id = ANY(CAST(:ids AS bigint[]))")
_SET_SETTINGS = text("UPDATE users SET settings = CAST(:settings AS jsonb) WHERE id = :user_id")
# Restoring lifts both; an instant that stands already stays.
_MODERATE = text(
    """
    UPDATE users SET
      suspended_at = CASE WHEN CAST(:is_restored AS boolean) THEN NULL
        WHEN CAST(:is_suspended AS boolean) THEN coalesce(suspended_at, clock_timestamp()) ELSE suspended_at END,
      shadow_banned_at = CASE WHEN CAST(:is_restored AS boolean) THEN NULL
        WHEN CAST(:is_shadow_banned AS boolean) THEN coalesce(shadow_banned_at, clock_timestamp()) ELSE shadow_banned_at END
    WHERE id = :user_id
    """
)
_ID_OF = text("SELECT id FROM users WHERE lower(username) = lower(:username)")
_LOCK = text("SELECT id FROM users WHERE id = ANY(CAST(:ids AS bigint[])) ORDER BY id FOR NO KEY UPDATE")
_TOUCH = text(
    """
    INSERT INTO account_visits AS v (user_id) VALUES (:user_id)
    ON CONFLICT (user_id) DO UPDATE SET last_active_at = clock_timestamp()
    WHERE v.last_active_at < clock_timestamp() - interval '1 hour'
    """
)


async def load_users(session: ReadSession, user_ids: Iterable[int]) -> dict[int, UserRecord]:
    """The accounts that exist, by id; suspended ones too: whether the viewer may see them is not decided here."""
    rows = await session.execute(_BY_IDS, {"ids": list(user_ids)})
    return {row[0]: to_user(row) for row in rows}


async def load_users_by_username(session: ReadSession, names: Iterable[str]) -> dict[str, UserRecord]:
    """Accounts by lower-case username."""
    rows = await session.execute(_BY_USERNAMES, {"names": [name.lower() for name in names]})
    return {row[2].lower(): to_user(row) for row in rows}


async def load_people(
    session: ReadSession, user_ids: Iterable[int], *, viewer_id: int | None
) -> dict[int, tuple[UserRecord, Relation]]:
    """The accounts that exist, with the viewer's relation to them, by id: one statement. Nothing is filtered yet."""
    rows = await session.execute(_PEOPLE_BY_IDS, {"ids": list(user_ids), "viewer_id": viewer_id or 0})
    return {row[0]: (to_user(row[:USER_WIDTH]), to_relation(row[USER_WIDTH:])) for row in rows}


async def find_person(session: ReadSession, username: str, *, viewer_id: int | None) -> tuple[UserRecord, Relation] | None:
    """The account of a name, without regard to case, with the viewer's relation to it. Nothing is filtered yet."""
    rows = await session.execute(_PERSON_BY_USERNAME, {"name": username.lower(), "viewer_id": viewer_id or 0})
    row = rows.first()
    return (to_user(row[:USER_WIDTH]), to_relation(row[USER_WIDTH:])) if row is not None else None


async def find_user_by_external_id(session: ReadSession, external_id: str) -> UserRecord | None:
    """The account of a token's `sub`."""
    row = (await session.execute(_BY_EXTERNAL_ID, {"external_id": external_id})).first()
    return to_user(row) if row is not None else None


async def load_users_by_external_id(session: ReadSession, external_ids: Sequence[str]) -> dict[str, UserRecord]:
    """The same for many, by external id; those without an account are missing."""
    rows = await session.execute(_BY_EXTERNAL_IDS, {"external_ids": list(external_ids)})
    return {user.external_id: user for user in map(to_user, rows)}


async def insert_user(
    session: WriteSession, *, external_id: str, username: str, display_name: str, avatar_url: str | None
) -> UserRecord | None:
    """A new account; None where the external id or the username is taken."""
    row = (
        await session.execute(
            _INSERT,
            {"external_id": external_id, "username": username, "display_name": display_name, "avatar_url": avatar_url},
        )
    ).first()
    return to_user(row) if row is not None else None


async def update_user(session: WriteSession, user_id: int, changes: Mapping[str, Any]) -> UserRecord | None:
    """Sets `display_name`, `bio`, `is_private`; what is missing or None stays."""
    session.touch(subjects.account(user_id))
    parameters = {name: changes.get(name) for name in ("display_name", "bio", "is_private")}
    if parameters["is_private"] is not None:
        await note_account(session, user_id, is_private=parameters["is_private"])
    row = (await session.execute(_UPDATE, {"user_id": user_id, **parameters})).first()
    return to_user(row) if row is not None else None


async def load_relations(session: ReadSession, viewer_id: int, user_ids: Iterable[int]) -> dict[int, Relation]:
    """How the viewer stands to each of the accounts."""
    rows = await session.execute(_RELATIONS, {"viewer_id": viewer_id, "ids": list(user_ids)})
    return {row[0]: to_relation(row[1:]) for row in rows}


async def lock_users(session: WriteSession, *user_ids: int) -> set[int]:
    """Locks the rows in id order (the same for everybody, so no deadlock) and returns the ids that exist."""
    return set((await session.execute(_LOCK, {"ids": list(user_ids)})).scalars())


async def renew_rows(session: WriteSession, *user_ids: int) -> None:
    """Gives the rows new versions though nothing in them changes: what a viewer's page hangs on has, in another table.

    Whoever remembers something of a viewer compares versions (`db.viewer_looks`). Call `lock_users` first.
    """
    await session.execute(_RENEW, {"ids": list(user_ids)})


async def touch_last_active(session: WriteSession, user_id: int) -> None:
    """Notes that the account is in use, at most once an hour: it is read by people, not by the feed."""
    await session.execute(_TOUCH, {"user_id": user_id})


async def load_settings(session: ReadSession, user_id: int) -> Mapping[str, Any]:
    """The feed preferences as they are stored, for `domain.preferences`."""
    stored = (await session.execute(_SETTINGS, {"user_id": user_id})).scalar_one()
    return orjson.loads(stored) if isinstance(stored, str | bytes) else stored  # type: ignore[no-any-return]


async def store_settings(session: WriteSession, user_id: int, settings: Mapping[str, Any]) -> None:
    """Replaces the stored feed preferences. Call `lock_users` before reading those that the new ones are made from."""
    session.touch(subjects.preferences(user_id))
    await note_preferences(session, user_id, settings=settings)
    await session.execute(_SET_SETTINGS, {"user_id": user_id, "settings": orjson.dumps(settings).decode()})


async def set_moderation(session: WriteSession, username: str, change: ModerationChange) -> bool:
    """Suspends, shadow-bans or restores (lifts both) the account of a name; a second time changes nothing.

    False where there is no such account.
    """
    user_id = (await session.execute(_ID_OF, {"username": username})).scalar()
    if user_id is None:
        return False
    session.touch(subjects.account(user_id))
    is_restored = change is ModerationChange.RESTORE
    await note_account(
        session,
        user_id,
        is_suspended=False if is_restored else True if change is ModerationChange.SUSPEND else None,
        is_shadow_banned=False if is_restored else True if change is ModerationChange.SHADOW_BAN else None,
    )
    parameters = {
        "user_id": user_id,
        "is_suspended": change is ModerationChange.SUSPEND,
        "is_shadow_banned": change is ModerationChange.SHADOW_BAN,
        "is_restored": is_restored,
    }
    await session.execute(_MODERATE, parameters)
    return True
