"""A process that imports a folder in small transactions and says aloud how far it is, so that it can be killed anywhere.

Arguments: database address, folder.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from services.importing import write_follows, write_posts, write_shares
from services.importing.import_files import import_files
from services.importing.progress import Progress

THRESHOLD = 100


def _say(progress: Progress) -> None:
    print(progress.phase, progress.done, flush=True)


async def run_import(database_url: str, folder: Path) -> None:
    write_follows.FOLLOWS_PER_TRANSACTION = 150
    write_follows.FOLLOWS_PER_TRANSACTION_OF_OLD_ACCOUNTS = 60
    write_posts.POSTS_PER_TRANSACTION = 90
    write_shares.SHARES_PER_TRANSACTION = 15
    await import_files(database_url, folder, celebrity_threshold=THRESHOLD, progress=_say)
    print("finished", flush=True)


if __name__ == "__main__":
    asyncio.run(run_import(sys.argv[1], Path(sys.argv[2])))
