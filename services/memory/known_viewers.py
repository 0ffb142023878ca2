"""Viewers, from memory where the truth says at this moment that they are still what is remembered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from db.database import Database
from db.users import load_users_by_external_id
from db.viewer_looks import Asked, KnownViewer, ViewerLook, load_known_viewers, load_looks
from domain.ids import MAX_ID
from domain.records import UserRecord
from services.memory.gathered_reads import GatheredReads
from services.memory.two_generations import TwoGenerations

OWN_SIZE = 30
"""Own posts that a look brings along: more than a page of usual size."""
_ACCOUNTS = 200_000
_TRIES = 3
"""Looks at a viewer who changes all the while."""


class SeenViewer(NamedTuple):
    """A viewer as they are at the moment of the look."""

    look: ViewerLook
    known: KnownViewer


class KnownViewers:
    """The viewers that one process remembers. `size` counts whom they follow, too."""

    def __init__(self, database: Database, *, size: int) -> None:
        self._database = database
        self._viewers: TwoGenerations[int, KnownViewer] = TwoGenerations(size, weigh=lambda one: 10 + len(one.sources))
        self._ids: TwoGenerations[str, int] = TwoGenerations(_ACCOUNTS)
        self._looks: GatheredReads[Asked, ViewerLook] = GatheredReads(self._look)
        self._loads: GatheredReads[int, KnownViewer] = GatheredReads(self._load, max_keys=100)
        self._accounts: GatheredReads[str, UserRecord] = GatheredReads(self._load_accounts, max_keys=100)

    async def see(self, viewer_id: int, *, below: int = MAX_ID) -> SeenViewer | None:
        """The viewer at a moment after this call, suspended or not; None without an account, or where they change all the time.

        `below`: only own posts below that id are wanted. Raises UnavailableError.
        """
        asked = (viewer_id, below)
        for _ in range(_TRIES):
            look = (await self._looks.begin([asked])).get(asked)
            if look is None:
                return None
            known = self._viewers.get(viewer_id)
            if known is not None and _is_still(known, look):
                return SeenViewer(look, known)
            await self._loads.ask([viewer_id])
        return None

    async def see_account(self, external_id: str) -> SeenViewer | None:
        """The viewer with that external id; None where this process does not know them as they are now.

        Then nothing is loaded: few requests need more of a viewer than their account.
        """
        viewer_id = self._ids.get(external_id)
        if viewer_id is None or self._viewers.get(viewer_id) is None:
            return None
        asked = (viewer_id, MAX_ID)
        look = (await self._looks.begin([asked])).get(asked)
        known = self._viewers.get(viewer_id)
        if look is None or known is None or not _is_still(known, look) or known.user.external_id != external_id:
            return None
        return SeenViewer(look, known)

    async def find_account(self, external_id: str) -> UserRecord | None:
        """The account with that external id at a moment after this call. Raises UnavailableError."""
        user = (await self._accounts.begin([external_id])).get(external_id)
        if user is not None:
            self.note_account(user)
        return user

    def note_account(self, user: UserRecord) -> None:
        """Whose external id that is."""
        self._ids.put(user.external_id, user.id)

    async def close(self) -> None:
        await self._looks.close()
        await self._loads.close()
        await self._accounts.close()

    async def _look(self, asked: Sequence[Asked]) -> Mapping[Asked, ViewerLook]:
        async with self._database.at_once() as session:
            return await load_looks(session, asked, own_size=OWN_SIZE)

    async def _load_accounts(self, external_ids: Sequence[str]) -> Mapping[str, UserRecord]:
        async with self._database.at_once() as session:
            return await load_users_by_external_id(session, external_ids)

    async def _load(self, viewer_ids: Sequence[int]) -> Mapping[int, KnownViewer]:
        async with self._database.at_once() as session:
            found = await load_known_viewers(session, viewer_ids)
        for viewer_id, known in found.items():
            self._viewers.put(viewer_id, known)
        return found


def _is_still(known: KnownViewer, look: ViewerLook) -> bool:
    return known.version == look.version and known.pulled_version == look.moment.pulled_version and known.run == look.moment.run
