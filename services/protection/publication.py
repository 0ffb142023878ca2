"""What the rules for publishing are asked about, and what a rule is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class PublicationKind(StrEnum):
    """What is about to be published."""

    POST = "post"
    QUOTE = "quote"
    EDIT = "edit"
    COMMENT = "comment"


@dataclass(frozen=True, slots=True)
class Publication:
    """Words that somebody wants others to read. `mention_count`: different names that are mentioned.

    `idempotency_key`: what makes two requests the same one; None where each is one of its own.
    """

    kind: PublicationKind
    author_id: int
    body: str
    mention_count: int
    idempotency_key: str | None


class PublicationRule(Protocol):
    """One rule of the chain."""

    @property
    def name(self) -> str:
        """Its name in answers, metrics and logs."""

    async def find_fault(self, publication: Publication) -> str | None:
        """Why it refuses, in words for the author; None where it does not. May raise UnavailableError."""
