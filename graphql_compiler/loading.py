"""Loads what the values of one level want, by the loaders' batch functions: one call a loader for all lists together.

Works on the loaders' own cache, as aiodataloader keeps it: what is known is not loaded, what is being loaded is waited for, and
what is loaded here is found there by resolvers that load value by value.
"""

from __future__ import annotations

from asyncio import Future, shield
from collections.abc import Awaitable, Mapping
from typing import Any

from graphql_compiler.answers import Batched
from graphql_compiler.batch_functions import awaited, checked, several
from graphql_compiler.failures import Failed
from graphql_compiler.passing import passes_on
from graphql_compiler.protocol import KNOWN_ATTRIBUTE, BatchedField
from graphql_compiler.run import Pending, Run
from graphql_compiler.shape import Position

MISSING = object()
"""Stands for what a loader does not know."""

LATER = object()
"""Stands for what a loader knows, while it has not been asked."""

_NOTHING = object()
_NO_CACHE: dict[Any, Any] = {}


class _OneByOneError(Exception):
    pass


class _Several(list[Any]):
    """The tickets of a value that wants several."""


def known(run: Run, position: Position) -> Mapping[Any, Any] | None:
    """What the loader of a field knows, by key; None where it does not say so, or where nothing is loaded."""
    answer = position.field.answer
    assert isinstance(answer, Batched), "by its caller"
    try:
        return getattr(answer.batch.loader(run.context), KNOWN_ATTRIBUTE, None)
    except Exception:
        # It is asked again, and told, where the field is waited for.
        return None


@passes_on
def found(batch: BatchedField, loaded: list[Any] | None, wanting: list[Pending], context: Any) -> list[Any]:
    """The values of one field from what was loaded (None: nothing), Failed in the place of those that could not be had."""
    if loaded is None:
        loaded = [None for _ in wanting]
    finish = batch.finish
    if finish is None:
        return loaded
    values = []
    for value, (_, _, parent, _) in zip(loaded, wanting, strict=True):
        if value.__class__ is not Failed:
            try:
                value = finish(parent, value, context)
            except Exception as error:
                value = Failed(error)
        values.append(value)
    return values


class Load:
    """Keys for one loader. `want` what fields ask for, await all of `work`, then ask `value`.

    `values`: what this run has loaded by this loader before. `keeps`: whether the loader's cache shall know what is loaded.
    `groups`: the fields with their tickets, one ticket a value. `running`: for whoever awaits the work.
    """

    __slots__ = ("_awaited", "_is_mixed", "_keys", "_loader", "_values", "groups", "keeps", "running")

    def __init__(self, loader: Any, values: dict[Any, Any]) -> None:
        self._loader = loader
        self._is_mixed = False
        self._keys: dict[Any, Any] = {}
        self._awaited: dict[Any, Future[Any]] = {}
        self._values = values
        self.keeps = True
        self.groups: list[tuple[BatchedField, Position, list[Pending], list[Any]]] = []
        self.running = 0

    @property
    def has_work(self) -> bool:
        return bool(self._keys or self._awaited)

    def want(self, answer: Batched, position: Position, wanting: list[Pending], context: Any) -> None:
        """Notes the keys of one field."""
        key_of, cache_key_of = answer.key, self._loader.get_cache_key
        tickets: list[Any]
        try:
            if answer.is_many:
                raise _OneByOneError
            keys = [key_of(each[2], context) for each in wanting]
            if None in keys:
                raise _OneByOneError
            tickets = [cache_key_of(key) for key in keys]
            wanted = dict(zip(tickets, keys, strict=True))
        except Exception:
            tickets, wanted = self._one_by_one(answer, wanting, context)
            self._is_mixed = True
        self._note_keys(wanted)
        self.groups.append((answer.batch, position, wanting, tickets))

    @passes_on
    def _one_by_one(self, answer: Batched, wanting: list[Pending], context: Any) -> tuple[list[Any], dict[Any, Any]]:
        """Where some values want nothing or several, or their keys cannot be had."""
        tickets: list[Any] = []
        wanted: dict[Any, Any] = {}
        cache_key_of = self._loader.get_cache_key
        for _, _, parent, _ in wanting:
            ticket: Any = _NOTHING
            try:
                key = answer.key(parent, context)
                if key is not None and answer.is_many:
                    wished = several(key)
                    ticket = _Several([cache_key_of(each) for each in wished])
                    wanted.update(zip(ticket, wished, strict=True))
                elif key is not None:
                    ticket = cache_key_of(key)
                    wanted[ticket] = key
            except Exception as error:
                ticket = Failed(error)
            tickets.append(ticket)
        return tickets, wanted

    def _note_keys(self, wanted: dict[Any, Any]) -> None:
        loader, values, keys = self._loader, self._values, self._keys
        at_hand = getattr(loader, KNOWN_ATTRIBUTE, None)
        if at_hand:
            wanted = self._take_known(wanted, at_hand)
        cache = loader._cache if loader.cache else _NO_CACHE
        if not values and not keys and not self._awaited and (not cache or cache.keys().isdisjoint(wanted)):
            self._keys = wanted
            return
        for cache_key, key in wanted.items():
            if cache_key in values or cache_key in keys or cache_key in self._awaited:
                continue
            known = cache.get(cache_key)
            if known is None or known.cancelled():
                keys[cache_key] = key
            elif known.done():
                self._note(cache_key, known)
            else:
                self._awaited[cache_key] = known

    def _take_known(self, wanted: dict[Any, Any], at_hand: Mapping[Any, Any]) -> dict[Any, Any]:
        """What is left to be loaded."""
        left = {}
        for cache_key, key in wanted.items():
            value = at_hand.get(key, MISSING)
            if value is MISSING:
                left[cache_key] = key
            else:
                self._values[cache_key] = value
        return left

    @property
    def can_join(self) -> bool:
        """Whether resolvers have asked the loader for keys that it is about to load."""
        return bool(self._loader._queue)

    def join(self) -> None:
        """Gives the keys to the loader, to be loaded with what others ask it for."""
        for cache_key, key in self._keys.items():
            self._awaited[cache_key] = self._loader.load(key)
        self._keys = {}

    def look_again(self) -> None:
        """Some of the keys may have been loaded meanwhile."""
        wanted, self._keys = self._keys, {}
        self._note_keys(wanted)

    def loaded(self, tickets: list[Any]) -> list[Any]:
        """What was loaded, ticket by ticket."""
        if not self._is_mixed:
            values = self._values
            return [values[ticket] for ticket in tickets]
        return [self.value(ticket) for ticket in tickets]

    def value(self, ticket: Any) -> Any:
        """What was loaded."""
        if ticket is _NOTHING:
            return None
        if ticket.__class__ is _Several:
            values = [self._values[each] for each in ticket]
            return next((each for each in values if each.__class__ is Failed), values)
        return ticket if ticket.__class__ is Failed else self._values[ticket]

    def work(self) -> list[Awaitable[None]]:
        """What has to be awaited. None of it raises an Exception."""
        loader, wanted = self._loader, list(self._keys.items())
        size = (loader.max_batch_size or len(wanted)) if loader.batch else 1
        batches = [wanted[start : start + size] for start in range(0, len(wanted), max(size, 1))]
        work: list[Awaitable[None]] = [self._load(batch) for batch in batches]
        if self._awaited:
            work.append(self._wait())
        return work

    def _note(self, cache_key: Any, known: Future[Any]) -> None:
        error = known.exception()
        if error is None:
            self._values[cache_key] = known.result()
        elif isinstance(error, Exception):
            self._values[cache_key] = Failed(error)
        else:
            raise error

    async def _wait(self) -> None:
        for cache_key, known in self._awaited.items():
            try:
                self._values[cache_key] = await _unharmed(known)
            except Exception as error:
                self._values[cache_key] = Failed(error)

    async def _load(self, batch: list[tuple[Any, Any]]) -> None:
        """Loads one batch, as aiodataloader does it; whoever asks the loader meanwhile waits for this batch."""
        loader = self._loader
        promised: dict[Any, Future[Any]] = {}
        if loader.cache and self.keeps:
            promised = {cache_key: loader.loop.create_future() for cache_key, _ in batch}
            loader._cache.update(promised)
        try:
            values = checked([key for _, key in batch], await awaited(loader.batch_load_fn, [key for _, key in batch]))
        except BaseException as error:
            for cache_key, promise in promised.items():
                loader._cache.pop(cache_key, None)
                _break(promise, error)
            if not isinstance(error, Exception):
                raise
            self._values.update((cache_key, Failed(error)) for cache_key, _ in batch)
            return
        classes = {value.__class__ for value in values}
        if not promised and not any(issubclass(each, Exception) for each in classes):
            self._values.update(zip([cache_key for cache_key, _ in batch], values, strict=True))
            return
        for (cache_key, _), value in zip(batch, values, strict=True):
            promise_or_none = promised.get(cache_key)
            if isinstance(value, Exception):
                self._values[cache_key] = Failed(value)
                if promise_or_none is not None:
                    _break(promise_or_none, value)
            else:
                self._values[cache_key] = value
                if promise_or_none is not None and not promise_or_none.done():
                    promise_or_none.set_result(value)


@passes_on
async def _unharmed(known: Future[Any]) -> Any:
    """Waits for a future that is somebody else's: being cancelled ourselves must not cancel it."""
    return await shield(known)


def _break(promise: Future[Any], error: BaseException) -> None:
    if promise.done():
        return
    if isinstance(error, Exception):
        promise.set_exception(error)
        promise.exception()  # nobody need have asked for it
    else:
        promise.cancel()
