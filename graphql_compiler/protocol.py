"""How a resolver says that whole lists of its field can be loaded at once: by attributes, so it need not import this package.

    async def author(root: Post, info: Info) -> User:
        return await info.context.users.load(root.author_id)

    author.batch = Batch(loader=lambda context: context.users, key=lambda root, context: root.author_id)

Any object with these attributes will do. The resolver itself stays as it is: graphql-core calls it value by value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class BatchedField(Protocol):
    """What a resolver's attribute `batch` must have."""

    def loader(self, context: Any, /) -> Any:
        """An aiodataloader `DataLoader`, or something with its `batch_load_fn` and cache. None: nothing is loaded."""

    def key(self, root: Any, context: Any, /) -> Any:
        """What to load for this parent value. None: nothing, `finish` gets None."""

    @property
    def finish(self) -> Callable[[Any, Any, Any], Any] | None:
        """What the resolver would return, from (parent value, what was loaded, context). None: the loaded value itself."""


BATCH_ATTRIBUTE = "batch"
"""On a resolver: a BatchedField."""

BY_CLASS_ATTRIBUTE = "by_class"
"""On an `is_type_of`, if true: its verdict depends on nothing but the class of the value, so it is asked once a class."""
