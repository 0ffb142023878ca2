"""Positions of entities as clients get them: code points of the very text that comes with them, new, edited and read again."""

from __future__ import annotations

from typing import Any

from tests.app.web.people_of_a_server import account, done
from tests.app.web.running_server import RunningServer, token_for

FIELDS = "id text entities { kind start end text url hashtag { name } user { username } }"
POST = f"query ($i: ID!) {{ post(id: $i) {{ {FIELDS} }} }}"
TEXTS = [
    "👩\u200d👩\u200d👧 hello @ada, 🇩🇪🏴\U000e0067\U000e0062\U000e007f #café and cafe\u0301 #cafe\u0301",
    "\u202bשלום @ada \u202c#سلام 👍🏽https://example.com/é?x=1#frag",
    "क्षि #नमस्ते\n\t#नमस्ते \U00020000 #𠀋 ＃ｗｉｄｅ @nobody_here",
    "plain, without anything",
]


def check(post: Any, body: str) -> list[str]:
    assert post["text"] == body
    for entity in post["entities"]:
        assert body[entity["start"] : entity["end"]] == entity["text"]
    assert [entity["start"] for entity in post["entities"]] == sorted(entity["start"] for entity in post["entities"])
    return [entity["text"] for entity in post["entities"]]


async def test_positions_survive_storing_reading_and_editing(web: RunningServer) -> None:
    await account(web, "ada")
    found = []
    for body in TEXTS:
        made = (await done(web, "bob", "createPost", f"post {{ {FIELDS} }}", text=body))["post"]
        found.append(check(made, body))
        for token in (None, token_for("bob")):
            assert (await web.data(POST, token, i=made["id"]))["post"] == made
    assert found == [
        ["@ada", "#café", "#cafe\u0301"],
        ["@ada", "#سلام", "https://example.com/é?x=1#frag"],
        ["#नमस्ते", "#नमस्ते", "#𠀋", "＃ｗｉｄｅ", "@nobody_here"],
        [],
    ]
    for body, entities in zip(TEXTS, found, strict=True):
        changed = (await done(web, "bob", "updatePost", f"post {{ {FIELDS} }}", postId=made["id"], text=body))["post"]
        assert check(changed, body) == entities
        assert (await web.data(POST, i=made["id"]))["post"] == changed
    first = TEXTS[0]
    edited = (await done(web, "bob", "updatePost", f"post {{ {FIELDS} }}", postId=made["id"], text=first))["post"]
    assert [entity["hashtag"] for entity in edited["entities"][1:]] == [{"name": "café"}] * 2
    assert edited["entities"][0]["user"] == {"username": "ada"}
