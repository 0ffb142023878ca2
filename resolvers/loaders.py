"""Batched loading within one operation (aiodataloader): siblings that ask for rows one by one cause one statement for all.

Loaders live as long as one operation or one live event, never longer: what they hold is not looked up again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from weakref import ref

from aiodataloader import DataLoader

from domain.comments import CommentRecord
from domain.engagement import ViewerMarks
from domain.feed import FeedPage, PageExtras
from domain.media import MediaRecord
from domain.notifications import NotificationRecord
from domain.records import HashtagRecord, PostFacts, Relation, UserRecord, VisiblePost
from services.accounts.find_people import load_viewer_relations, load_visible_users
from services.backends import Backends
from services.engagement.find_marks import find_marks
from services.engagement.load_visible_comments import load_visible_comments
from services.hashtags.find_hashtags import find_followed, find_hashtags, find_hashtags_by_name
from services.media.find_media import find_media, find_media_of_posts
from services.notifications.list_notifications import load_notifications
from services.posts.find_shared_roots import find_shared_roots
from services.posts.load_visible_posts import load_visible_posts

K = TypeVar("K")
V = TypeVar("V")

MAX_BATCH = 1_000

_author_of, _facts_of, _relation_of, _root_of, _id_of = map(attrgetter, ("author", "facts", "relation", "root", "id"))
_author_id_of = attrgetter("author.id")


class KeyLoader(DataLoader[K, V], Generic[K, V]):
    """Loads values by key; None where there is none for this viewer."""

    max_batch_size = MAX_BATCH

    def __init__(self, load_many: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]) -> None:
        # As aiodataloader sets it up, without looking anew each time whether its own method is a coroutine function.
        self._cache = {}
        self._queue = []
        self._load_many = load_many
        self.known: dict[K, V] = {}
        """What came with something else: taken without waiting, by the compiler without a future for each."""

    if not TYPE_CHECKING:

        @property
        def loop(self):
            return asyncio.get_running_loop()

    @staticmethod
    def get_cache_key(key: K) -> K:
        """The key itself."""
        return key

    def prime(self, key: K, value: V) -> KeyLoader[K, V]:
        """What is known already stays."""
        if isinstance(value, Exception):
            super().prime(key, value)
        elif key not in self._cache:
            self.known.setdefault(key, value)
        return self

    def prime_many(self, values: Mapping[K, V]) -> None:
        """The same for many."""
        if self._cache:
            values = {key: value for key, value in values.items() if key not in self._cache}
        self.known = {**values, **self.known} if self.known else dict(values)

    def clear(self, key: K) -> KeyLoader[K, V]:
        self.known.pop(key, None)
        return super().clear(key)

    def clear_all(self) -> KeyLoader[K, V]:
        self.known.clear()
        return super().clear_all()

    async def batch_load_fn(self, keys: list[K]) -> list[V]:
        found = await self._load_many(keys)
        return [found.get(key) for key in keys]  # type: ignore[misc]

    def load(self, key: K) -> asyncio.Future[V]:
        # aiodataloader keeps the future of a load that was cancelled (by a deadline), and would answer with it for ever.
        loading = self._cache.get(key)
        if loading is not None and loading.cancelled():
            self._cache.pop(key)
            loading = None
        if loading is None and key in self.known:
            loading = self._cache[key] = self.loop.create_future()
            loading.set_result(self.known[key])
        loading = super().load(key)
        # Several fields wait for it. graphql-core cancels those beside a field that failed, and theirs is not the others' load.
        return loading if loading.done() else asyncio.shield(loading)


class _Weakly(Generic[K, V]):
    """A method of the loaders that does not keep them alive: a cycle for each request costs more than the loader."""

    __slots__ = ("_load_many", "_loaders")

    def __init__(self, loaders: Loaders, load_many: Callable[[Loaders, Sequence[K]], Awaitable[Mapping[K, V]]]) -> None:
        self._loaders = ref(loaders)
        self._load_many = load_many

    def __call__(self, keys: Sequence[K]) -> Awaitable[Mapping[K, V]]:
        loaders = self._loaders()
        if loaders is None:
            # The operation has ended before its batch began: nobody waits for it.
            raise asyncio.CancelledError
        return self._load_many(loaders, keys)


class BatchLoader(KeyLoader[int, V], Generic[V]):
    """Loads values by 64-bit id."""


class Loaders:
    """The loaders of one operation, for one viewer. Each is made at its first use: few operations need many."""

    users: BatchLoader[UserRecord | None]
    posts: BatchLoader[VisiblePost | None]
    relations: BatchLoader[Relation]
    hashtags: BatchLoader[HashtagRecord | None]
    hashtags_by_name: KeyLoader[str, HashtagRecord | None]
    hashtag_follows: BatchLoader[bool]
    shared_roots: BatchLoader[bool]
    notifications: BatchLoader[NotificationRecord | None]
    marks: BatchLoader[ViewerMarks]
    comments: BatchLoader[CommentRecord | None]
    media: BatchLoader[MediaRecord | None]
    post_media: BatchLoader[list[MediaRecord]]

    def __init__(self, backends: Backends, viewer_id: int | None) -> None:
        self._backends = backends
        self._viewer_id = viewer_id
        self._facts: Sequence[PostFacts] = ()
        self._page: FeedPage | None = None

    if not TYPE_CHECKING:

        def __getattr__(self, name):
            load_many = _LOAD_MANY.get(name)
            if load_many is None:
                raise AttributeError(name)
            loader = self.__dict__[name] = KeyLoader(_Weakly(self, load_many))
            page = self._page
            if page is not None and page.marks is not None and name == "marks":
                loader.known = dict(page.marks)
            elif (self._facts or page is not None) and name in _OF_FACTS:
                entries = [*map(_facts_of, page.edges), *self._facts] if page is not None else self._facts
                loader.known = _OF_FACTS[name](entries)
            return loader

    def remember_authors(self, posts: Iterable[VisiblePost]) -> None:
        """A visible post came with its author and the viewer's relation to them: neither is asked for again."""
        found = list(posts)
        self.users.prime_many({item.author.id: item.author for item in found})
        self.relations.prime_many({item.author.id: item.relation for item in found})

    def remember_page(self, page: FeedPage) -> None:
        """A page of the feed came with all that is known of its posts. Nothing is done with it before it is asked for."""
        if self._page is None and self.__dict__.keys().isdisjoint(_OF_PAGE):
            self._page = page
        else:
            self.remember_facts([*map(_facts_of, page.edges)])
            if page.marks is not None:
                self.marks.prime_many(page.marks)
        if page.extras is not None:
            self.remember_extras(page.extras)

    def remember_facts(self, entries: Sequence[PostFacts]) -> None:
        """Posts of the feed came with their authors and what they share: neither is asked for again."""
        self._facts = [*self._facts, *entries] if self._facts else entries
        for name in _OF_FACTS.keys() & self.__dict__.keys():
            getattr(self, name).prime_many(_OF_FACTS[name](entries))

    def remember_extras(self, extras: PageExtras) -> None:
        """What came with a page, so that nobody is asked for it."""
        if extras.posts:
            self.remember_authors(post for post in extras.posts.values() if post is not None)
        if extras.posts:
            self.posts.prime_many(extras.posts)
        if extras.shared_roots:
            self.shared_roots.prime_many(extras.shared_roots)
        if extras.marks:
            self.marks.prime_many(extras.marks)
        if extras.relations:
            self.relations.prime_many(extras.relations)
        if extras.media:
            self.post_media.prime_many(extras.media)
        if extras.hashtags:
            self.hashtags.prime_many({hashtag.id: hashtag for hashtag in extras.hashtags.values()})

    def remember_user(self, user: UserRecord) -> None:
        self.users.prime(user.id, user)

    async def _load_users(self, keys: Sequence[int]) -> Mapping[int, UserRecord | None]:
        return await load_visible_users(self._backends, keys, viewer_id=self._viewer_id)

    async def _load_posts(self, keys: Sequence[int]) -> Mapping[int, VisiblePost | None]:
        found = await load_visible_posts(self._backends, keys, viewer_id=self._viewer_id)
        self.remember_authors(found.values())
        return found

    async def _load_relations(self, keys: Sequence[int]) -> Mapping[int, Relation]:
        assert self._viewer_id is not None, "only asked for a signed-in viewer"
        return await load_viewer_relations(self._backends, self._viewer_id, keys)

    async def _load_hashtags(self, keys: Sequence[int]) -> Mapping[int, HashtagRecord | None]:
        return await find_hashtags(self._backends, keys)

    async def _load_hashtags_by_name(self, keys: Sequence[str]) -> Mapping[str, HashtagRecord | None]:
        return await find_hashtags_by_name(self._backends, keys)

    async def _load_hashtag_follows(self, keys: Sequence[int]) -> Mapping[int, bool]:
        assert self._viewer_id is not None, "only asked for a signed-in viewer"
        followed = await find_followed(self._backends, keys, viewer_id=self._viewer_id)
        return {key: key in followed for key in keys}

    async def _load_shared_roots(self, keys: Sequence[int]) -> Mapping[int, bool]:
        assert self._viewer_id is not None, "only asked for a signed-in viewer"
        return await find_shared_roots(self._backends, keys, viewer_id=self._viewer_id)

    async def _load_notifications(self, keys: Sequence[int]) -> Mapping[int, NotificationRecord | None]:
        assert self._viewer_id is not None, "only asked for a signed-in viewer"
        return await load_notifications(self._backends, keys, viewer_id=self._viewer_id)

    async def _load_marks(self, keys: Sequence[int]) -> Mapping[int, ViewerMarks]:
        assert self._viewer_id is not None, "only asked for a signed-in viewer"
        return await find_marks(self._backends, keys, viewer_id=self._viewer_id)

    async def _load_comments(self, keys: Sequence[int]) -> Mapping[int, CommentRecord | None]:
        return await load_visible_comments(self._backends, keys, viewer_id=self._viewer_id)

    async def _load_media(self, keys: Sequence[int]) -> Mapping[int, MediaRecord | None]:
        return await find_media(self._backends, keys, viewer_id=self._viewer_id)

    async def _load_post_media(self, keys: Sequence[int]) -> Mapping[int, list[MediaRecord]]:
        return await find_media_of_posts(self._backends, keys)


def _users_of(entries: Sequence[PostFacts]) -> dict[int, UserRecord | None]:
    authors = [*map(_author_of, entries)]
    users: dict[int, UserRecord | None] = dict(zip(map(_id_of, authors), authors, strict=True))
    for root in filter(None, map(_root_of, entries)):
        users.setdefault(root.author.id, root.author)
    return users


def _relations_of(entries: Sequence[PostFacts]) -> dict[int, Relation]:
    return dict(zip(map(_author_id_of, entries), map(_relation_of, entries), strict=True))


def _roots_of(entries: Sequence[PostFacts]) -> dict[int, VisiblePost | None]:
    roots = filter(None, map(_root_of, entries))
    return {root.post.id: VisiblePost(root.post, root.author, root.relation) for root in roots}


_OF_FACTS: dict[str, Callable[[Sequence[PostFacts]], dict[int, Any]]] = {
    "users": _users_of,
    "relations": _relations_of,
    "posts": _roots_of,
}
"""What loaders know of entries."""
_OF_PAGE = frozenset({*_OF_FACTS, "marks"})
_LOAD_MANY = {name.removeprefix("_load_"): made for name, made in vars(Loaders).items() if name.startswith("_load_")}
