"""What people of a random walk publish, share, change and take back."""

from __future__ import annotations

from domain.records import Visibility
from services.posts.delete_post import delete_post
from services.posts.edit_post import edit_post
from services.posts.publish_post import publish_post
from services.posts.share_post import share_post
from services.posts.unshare_post import unshare_post
from tests.stories.scene import TAGS, WORDS, Scene

_VISIBILITIES = (Visibility.PUBLIC, Visibility.PUBLIC, Visibility.PUBLIC, Visibility.FRIENDS, Visibility.PRIVATE)


def _words(number: int) -> str:
    """A text with none, one or both of the hashtags, and a word that some have muted."""
    tags = [f"#{tag}" for place, tag in enumerate(TAGS) if number >> place & 1]
    return " ".join([WORDS[number // 4 % 4] if number // 4 % 4 < len(WORDS) else "hello", *tags])


async def post(scene: Scene, a: int, b: int, c: int) -> None:
    async with scene.at(c):
        made = await publish_post(
            scene.backends, author_id=scene.id(a), body=_words(b // 5), visibility=_VISIBILITIES[b % 5], location=None
        )
    scene.posts.append((scene.name(a), made.id))


async def burst(scene: Scene, a: int, b: int, c: int) -> None:
    """More posts of one author than a timeline holds, delivered one by one."""
    for _ in range(1 + b % 5):
        await post(scene, a, 0, c)
        await scene.world.drain()


async def edit(scene: Scene, a: int, b: int, c: int) -> None:
    recent = scene.recent(a)
    if recent is not None:
        await edit_post(
            scene.backends,
            author_id=scene.world.ids[recent[0]],
            post_id=recent[1],
            body=_words(c // 2) if c % 2 else None,
            visibility=_VISIBILITIES[2 + b % 3],
        )


async def hide_and_show(scene: Scene, a: int, b: int, c: int) -> None:
    """Private and public again, so that one post has several promises."""
    await edit(scene, a, 2, 0)
    await edit(scene, a, 0 if c % 2 else 1, 0)


async def delete(scene: Scene, a: int, _b: int, _c: int) -> None:
    if scene.posts:
        author, post_id = scene.posts.pop(a % len(scene.posts))
        await delete_post(scene.backends, author_id=scene.world.ids[author], post_id=post_id)


async def share(scene: Scene, a: int, b: int, c: int) -> None:
    """A share without words, or a quote; also of shares."""
    await _share(scene, a, b, c // 8, "" if c % 8 else "so true #red")


async def _share(scene: Scene, a: int, b: int, when: int, body: str) -> None:
    recent = scene.recent(b)
    if recent is not None:
        async with scene.at(when):
            made = await share_post(scene.backends, author_id=scene.id(a), post_id=recent[1], body=body)
        if (scene.name(a), made.id) not in scene.posts:
            scene.posts.append((scene.name(a), made.id))


async def share_by_many(scene: Scene, a: int, b: int, c: int) -> None:
    """One post, shared by several people, some of them on other days."""
    recent = scene.recent(b)
    if recent is None:
        return
    for number in range(a, a + 2 + c % 10):
        async with scene.at(c // 10 + number):
            made = await share_post(scene.backends, author_id=scene.id(number), post_id=recent[1], body="")
        if (scene.name(number), made.id) not in scene.posts:
            scene.posts.append((scene.name(number), made.id))


async def unshare(scene: Scene, a: int, _b: int, _c: int) -> None:
    rows = await scene.sql("SELECT author_id, id FROM posts WHERE is_plain_share AND deleted_at IS NULL ORDER BY id")
    if rows:
        author_id, share_id = rows[a % len(rows)]
        await unshare_post(scene.backends, author_id=author_id, post_id=share_id)
        scene.posts = [known for known in scene.posts if known[1] != share_id]
