"""All that a process remembers of the truth."""

from __future__ import annotations

from dataclasses import dataclass

from services.memory.gathered_facts import GatheredFacts
from services.memory.gathered_marks import GatheredMarks
from services.memory.known_posts import KnownPosts
from services.memory.known_viewers import KnownViewers


@dataclass(frozen=True, slots=True)
class Memory:
    """Nothing in it is believed before the truth has confirmed it at the moment of the page."""

    posts: KnownPosts
    viewers: KnownViewers
    marks: GatheredMarks
    facts: GatheredFacts

    async def close(self) -> None:
        """Gives up the questions under way."""
        await self.posts.close()
        await self.viewers.close()
        await self.marks.close()
        await self.facts.close()
