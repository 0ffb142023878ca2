"""Finding posts, people and hashtags that one does not know yet."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import strawberry

from domain.paging import Connection, check_page_size, forward_page
from domain.records import PostRecord, TrendingHashtagRecord, UserRecord
from resolvers.arguments import After, First
from resolvers.context import Info, given
from resolvers.people import to_post_connection
from services.discovery.search_posts import search_posts as search_posts_use_case
from services.discovery.search_users import search_users as search_users_use_case
from services.discovery.suggest_users import suggest_users
from services.discovery.trending_hashtags import trending_hashtags as trending_hashtags_use_case

DEFAULT_SIZE = 10

FirstTen: TypeAlias = Annotated[int | None, strawberry.argument(description="How many at most, 0 to 100; 10 when left out.")]
PostQuery: TypeAlias = Annotated[
    str,
    strawberry.argument(
        description='Words (all of them), "phrases", -without, or; #hashtag and @name. At most 200 characters and 20 words.'
    ),
]
NameQuery: TypeAlias = Annotated[
    str, strawberry.argument(description="A username or display name, or how its words begin. At most 200 characters.")
]


async def search_posts(
    info: Info, query: PostQuery, first: First = 20, after: After = strawberry.UNSET
) -> Connection[PostRecord]:
    context = info.context
    page = await search_posts_use_case(
        context.backends, query=query, viewer_id=context.viewer_id, page=forward_page(first, given(after))
    )
    return to_post_connection(context, page)


async def search_users(
    info: Info, query: NameQuery, first: First = 20, after: After = strawberry.UNSET
) -> Connection[UserRecord]:
    context = info.context
    page = await search_users_use_case(
        context.backends, query=query, viewer_id=context.viewer_id, page=forward_page(first, given(after))
    )
    for user in page.nodes:
        context.loaders.remember_user(user)
    return page


async def trending_hashtags(info: Info, first: FirstTen = DEFAULT_SIZE) -> list[TrendingHashtagRecord]:
    return await trending_hashtags_use_case(info.context.backends, size=check_page_size(first, default=DEFAULT_SIZE))


async def suggested_users(info: Info, first: FirstTen = DEFAULT_SIZE) -> list[UserRecord]:
    context = info.context
    viewer_id = context.require_viewer_id()
    suggested = await suggest_users(context.backends, viewer_id=viewer_id, size=check_page_size(first, default=DEFAULT_SIZE))
    for user in suggested:
        context.loaders.remember_user(user)
    return suggested
