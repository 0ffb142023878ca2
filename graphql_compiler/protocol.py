"""How a resolver says that whole lists of its field can be loaded at once: by attributes, so it need not import this package.

    async def author(root: Post, info: Info) -> User:
        return await info.context.users.load(root.author_id)

    author.batch = Batch(loader=lambda context: context.users, key=lambda root, context: root.author_id)

Any object with these attributes will do. The resolver itself stays as it is: graphql-core calls it value by value.

And how records and resolvers say that what was rendered of them may be kept:

    @dataclass(frozen=True, slots=True)
    class Post:
        ...
        rendered_json: tuple[Any, ...] | None = field(default=None, init=False, repr=False, compare=False)

    def post_id(root: Post) -> str: ...
    post_id.is_stable = True
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class BatchedField(Protocol):
    """What a resolver's attribute `batch` must have."""

    def loader(self, context: Any, /) -> Any:
        """An aiodataloader `DataLoader`, or something with its `batch_load_fn` and cache. None: nothing is loaded."""

    @property
    def key(self) -> str | Callable[[Any, Any], Any]:
        """What to load for (parent value, context), or the name of the parent's attribute that says so.

        None: nothing is loaded, `finish` gets None.
        """

    @property
    def is_many(self) -> bool:
        """Whether `key` gives a sequence of keys, and `finish` gets a list. May be left out."""

    @property
    def finish(self) -> Callable[[Any, Any, Any], Any] | None:
        """What the resolver would return, from (parent value, what was loaded, context). None: the loaded value itself."""


FINISH_NAME_ATTRIBUTE = "finish_name"
"""On a BatchedField, if it is not None: of everything that was loaded, `finish` gives the attribute of that name."""

AT_HAND_ATTRIBUTE = "at_hand"
"""On a BatchedField, if it is not None: the name of an attribute of the parent that holds what the loader would give, or None
where that has to be loaded. It is never an exception. Of a parent that keeps what is rendered of it, it never changes."""

BATCH_ATTRIBUTE = "batch"
"""On a resolver: a BatchedField."""

KNOWN_ATTRIBUTE = "known"
"""On a loader: a mapping of what need not be loaded, by key (not by cache key). Such values are taken without waiting.
None of them is an exception."""

STABLE_ATTRIBUTE = "is_stable"
"""On a resolver that is no coroutine function, if true: while the process lives, its answer hangs on the parent value alone."""

RENDERED_ATTRIBUTE = "rendered_json"
"""A slot of a class whose instances, and all that is reached by their attributes, never change; None at first. The compiler
keeps there what it has rendered of an instance, as long as that lives. Others are rendered anew each time."""

BY_CLASS_ATTRIBUTE = "by_class"
"""On an `is_type_of`, if true: its verdict depends on nothing but the class of the value, so it is asked once a class."""
