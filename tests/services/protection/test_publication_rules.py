"""What is checked before anything is published, rule by rule, and that the use cases ask."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import count

import pytest
from pydantic import SecretStr

from domain.errors import RefusalCode, RefusedError, UnavailableError
from domain.ids import to_global_id
from domain.records import Visibility
from services.backends import Backends
from services.posts.edit_post import edit_post
from services.protection.check_publication import Publication, PublicationKind, check_publication
from services.protection.rules import external_classifier
from services.protection.rules.duplicate_text import MAX_REPETITIONS, normalise
from services.protection.rules.external_classifier import ExternalClassifier
from settings import Settings
from tests.databases import backends_with
from tests.services.graph.facts import query
from tests.services.protection.classifier import Classifier, run_classifier
from tests.world import World

_authors = count(1)


@pytest.fixture
async def limited(settings: Settings) -> AsyncIterator[Backends]:
    async with backends_with(settings, limits="on") as opened:
        yield opened


@pytest.fixture
def author_id() -> int:
    """Somebody who has said nothing yet: all tests share one Redis."""
    return 5_000_000 + next(_authors)


def rejected(error: RefusedError) -> str:
    """The rule that refused."""
    (refusal,) = error.refusals
    assert (refusal.code, refusal.field) == (RefusalCode.CONTENT_REJECTED, ("text",))
    return refusal.message.partition(":")[0]


def said(author_id: int, body: str, kind: PublicationKind = PublicationKind.POST, key: str | None = None) -> Publication:
    return Publication(kind, author_id, body, 0, key)


async def test_what_is_said_too_often_is_refused(limited: Backends, author_id: int) -> None:
    kinds = [PublicationKind.POST, PublicationKind.COMMENT, PublicationKind.QUOTE, PublicationKind.EDIT]
    spellings = ["Buy it all now, friends!", "  buy\u00a0IT all NOW, friends! ", "ｂｕｙ it all ｎｏｗ, friends!"]
    spellings += ["b\u200buy it all now, friends!"]
    for number in range(MAX_REPETITIONS):
        await check_publication(limited, said(author_id, spellings[number % 4], kinds[number % 3]))
    for body, kind in zip(spellings, kinds, strict=True):
        with pytest.raises(RefusedError) as refused:
            await check_publication(limited, said(author_id, body, kind))
        assert rejected(refused.value) == "duplicate_text"
    await check_publication(limited, said(author_id, "Buy it all later, friends!"))
    await check_publication(limited, said(author_id + 1_000_000, spellings[0]))


async def test_short_comments_may_say_the_same(limited: Backends, author_id: int) -> None:
    for _ in range(MAX_REPETITIONS + 1):
        await check_publication(limited, said(author_id, "Thanks!", PublicationKind.COMMENT))


async def test_what_is_not_published_counts_as_nothing(limited: Backends) -> None:
    world = World(limited)
    await world.add("ada")
    for _ in range(MAX_REPETITIONS + 2):
        with pytest.raises(RefusedError) as gone:
            await world.share("ada", 1, "a quote of nothing")
        assert gone.value.refusals[0].code is RefusalCode.NOT_FOUND
    for _ in range(MAX_REPETITIONS):
        await world.post("ada", "a quote of nothing")
    with pytest.raises(RefusedError) as refused:
        await world.post("ada", "a quote of nothing")
    assert rejected(refused.value) == "duplicate_text"


async def test_one_request_sent_again_is_one_publication(limited: Backends, author_id: int) -> None:
    same = said(author_id, "hello", key="k")
    await asyncio.gather(*(check_publication(limited, same) for _ in range(50)))
    for number in range(MAX_REPETITIONS - 1):
        await check_publication(limited, said(author_id, "hello", key=f"k{number}"))
    with pytest.raises(RefusedError):
        await check_publication(limited, said(author_id, "hello", PublicationKind.QUOTE, key="k"))
    await check_publication(limited, same)


async def test_without_redis_nobody_repeats_anything(limited: Backends, author_id: int) -> None:
    limited.redis._closed_until = float("inf")
    for _ in range(MAX_REPETITIONS + 1):
        await check_publication(limited, said(author_id, "hello"))


def test_texts_that_read_the_same() -> None:
    assert normalise("ＨＥＬＬＯ\u200d \n\t Straße") == "hello strasse"
    assert normalise("ﬁne") == normalise("FINE")
    assert normalise("a b") != normalise("ab")


async def test_mentions(limited: Backends, settings: Settings) -> None:
    for backends in (limited, None):
        async with backends_with(settings) as without_limits:
            world = World(backends or without_limits)
            await world.add("ada")
            await world.post("ada", " ".join(f"@someone{number % 50}" for number in range(80)))
            with pytest.raises(RefusedError) as refused:
                await world.post("ada", " ".join(f"@someone{number}" for number in range(51)))
            assert rejected(refused.value) == "too_many_mentions"


async def test_posts_edits_and_quotes_are_checked(limited: Backends) -> None:
    world = World(limited)
    await world.add("ada", "bob")
    crowd = " ".join(f"@someone{number}" for number in range(51))
    post_id = await world.post("ada", "fine")
    for work in (
        world.post("ada", crowd),
        world.share("bob", post_id, crowd),
        edit_post(limited, author_id=world.ids["ada"], post_id=post_id, body=crowd, visibility=None),
    ):
        with pytest.raises(RefusedError) as refused:
            await work
        assert rejected(refused.value) == "too_many_mentions"
    assert await query(world, "SELECT text FROM posts") == [("fine",)]
    for _ in range(9):
        await edit_post(limited, author_id=world.ids["ada"], post_id=post_id, body="better", visibility=Visibility.FRIENDS)


# ---------------------------------------------------------------- the classifier


@pytest.fixture
async def classifier() -> AsyncIterator[Classifier]:
    async with run_classifier() as running:
        yield running


def rule(classifier: Classifier, *, fails_open: bool = True, timeout_seconds: float = 5.0) -> ExternalClassifier:
    return ExternalClassifier(classifier.url, timeout_seconds=timeout_seconds, fails_open=fails_open, pseudonym_key=b"k" * 100)


async def test_it_is_asked_and_obeyed(settings: Settings, classifier: Classifier) -> None:
    changes = {"classifier_url": SecretStr(classifier.url), "classifier_timeout_seconds": 5.0}
    async with backends_with(settings, **changes) as backends:
        world = World(backends)
        await world.add("ada")
        await world.post("ada", "hello «wörld»")
        (question,) = classifier.asked
        author = question.pop("authorId")
        assert question == {"kind": "post", "text": "hello «wörld»"}
        assert str(world.ids["ada"]) not in author
        assert author != to_global_id("User", world.ids["ada"])
        for answer, message in (
            (b'{"allow": false}', "external_classifier: the text is not accepted"),
            (b'{"allow": false, "reason": "spam"}', "external_classifier: spam"),
            (b'{"allow": false, "reason": "two\\nlines"}', "external_classifier: the text is not accepted"),
            (b'{"allow": false, "reason": 5}', "external_classifier: the text is not accepted"),
        ):
            classifier.answer = answer
            with pytest.raises(RefusedError) as refused:
                await world.post("ada", "buy now")
            assert refused.value.refusals[0].message == message
        assert await query(world, "SELECT count(*) FROM posts") == [(1,)]
        assert {asked["authorId"] for asked in classifier.asked[1:]} == {author}


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (500, b'{"allow": true}'),
        (302, b""),
        (200, b"no"),
        (200, b"[]"),
        (200, b'{"allow": 1}'),
        (200, b'{"allow": true' + b" " * 20_000),
    ],
)
async def test_what_is_no_answer(classifier: Classifier, status: int, answer: bytes) -> None:
    classifier.status, classifier.answer = status, answer
    opens, closes = rule(classifier), rule(classifier, fails_open=False)
    assert await opens.find_fault(said(1, "hello")) is None
    with pytest.raises(UnavailableError):
        await closes.find_fault(said(1, "hello"))
    await opens.close()
    await closes.close()


async def test_one_that_hangs_is_left_alone_for_a_while(classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external_classifier, "BREAKER_SECONDS", 600.0)
    classifier.delay_seconds = 60.0
    asked = rule(classifier, timeout_seconds=0.02)
    for _ in range(10):
        assert await asked.find_fault(said(1, "hello")) is None
    assert asked._failures == external_classifier.FAILURES_IN_A_ROW
    asked._closed_until = 0.0
    asked._timeout_seconds = 5.0
    asked._client.timeout = 5.0
    classifier.delay_seconds = 0.0
    classifier.answer = b'{"allow": false}'
    assert await asked.find_fault(said(1, "hello")) == "the text is not accepted"
    await asked.close()
