"""Reads answers: who stands in them, where, and who should not.

An answer is walked with the names of its types. Each *place* is a path from the root; what was met there is judged by the oracle:
things by their ids, words by the marks they carry, counts and lists by the facts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.matrix.counts import COUNTS, FLAGS
from tests.matrix.lists import HASHTAGS_LOOKED_UP, LOOKED_UP, check_list
from tests.matrix.oracle import Oracle
from tests.matrix.truth import MARK, Secret

Json = Any
_GONE = {"deletedPostId", "deletedCommentId"}
"""They name what the viewer took away, as it was before."""
_TOLD_GONE = {("PostRemoved", "postId")}
"""Names a post that the client was shown before."""


@dataclass(frozen=True)
class Leak:
    """Something that should not have been said. `where`: the path; `what`: the secret, or what is wrong with a number."""

    moment: str
    viewer: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.moment}: {self.viewer} at {self.where}: {self.what}"


@dataclass
class Tally:
    """What was looked at. A *check* is one (viewer, secret, place, moment): a hidden secret that could have stood in a place
    where something stood, or that was asked for by name; or a number that was compared."""

    checks: int = 0
    compared: int = 0
    answers: int = 0
    seen: int = 0
    """Of the checks, numbers and lists; and how often something visible was found."""
    places: set[str] = field(default_factory=set)
    leaks: list[Leak] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.checks += other.checks
        self.compared += other.compared
        self.answers += other.answers
        self.seen += other.seen
        self.places |= other.places
        self.leaks += other.leaks


class Reading:
    """All answers that one viewer got at one moment."""

    def __init__(
        self,
        oracle: Oracle,
        *,
        viewer: str,
        moment: str,
        ids: Mapping[str, Secret],
        marks: Mapping[str, Secret],
        abstract: frozenset[tuple[str, str]],
        also_seen: frozenset[Secret] = frozenset(),
    ) -> None:
        """`ids`, `marks`: whose they are, those of earlier moments too. `abstract`: (type, field) that have several types.
        `also_seen`: what was visible at the beginning of a moment that took a while."""
        self.oracle = oracle
        self.tally = Tally()
        self.cursors: dict[str, str] = {}
        self.found: defaultdict[str, set[Secret]] = defaultdict(set)
        """What was met, by place."""
        self._names = (moment, viewer)
        self._ids = ids
        self._marks = marks
        self._abstract = abstract
        self._also_seen = also_seen
        self._asked: set[tuple[str, Secret]] = set()
        self._visible: dict[Secret, bool] = {}

    def sees(self, secret: Secret) -> bool:
        if secret not in self._visible:
            self._visible[secret] = secret in self._also_seen or self.oracle.sees(secret)
        return self._visible[secret]

    def leak(self, where: str, what: str) -> None:
        self.tally.leaks.append(Leak(*self._names, where, what))

    def asked_for(self, place: str, ids: Iterable[str]) -> None:
        """The field was asked for these ids by name, whatever it answered."""
        self._asked.update((place, self._ids[one]) for one in ids if one in self._ids)

    def read(self, root: str, value: Json, errors: Iterable[Json] = ()) -> None:
        """`root`: `Query.post`; `value`: what stands there."""
        self.tally.answers += 1
        for error in errors:
            self._words(root, str(error))
        type_name, _, name = root.partition(".")
        self._value(value, root, type_name, name, None, in_list=False)

    def close(self) -> Tally:
        """Counts what was checked."""
        hidden: defaultdict[str, set[Secret]] = defaultdict(set)
        for secret in {*self._ids.values()}:
            if not self.sees(secret):
                hidden[secret[0]].add(secret)
        checks = {(place, one) for place, one in self._asked if not self.sees(one)}
        for place, found in self.found.items():
            for kind in {kind for kind, _ in found}:
                checks.update((place, one) for one in hidden[kind])
            self.tally.seen += len(found)
        self.tally.checks += len(checks) + self.tally.compared
        self.tally.places |= set(self.found)
        return self.tally

    # ---------------------------------------------------------------- the walk

    def _value(self, value: Json, place: str, owner: str, name: str, parent: Json, *, in_list: bool) -> None:
        if isinstance(value, list):
            for one in value:
                self._value(one, place, owner, name, parent, in_list=True)
        elif isinstance(value, dict):
            if (owner, name) in self._abstract:
                place = f"{place}({value['__typename']})"
            self._object(value, place, in_list=in_list)
        elif isinstance(value, str):
            self._leaf(value, place, owner, name)

    def _object(self, value: dict[str, Json], place: str, *, in_list: bool) -> None:
        kind = value["__typename"]
        if (secret := self._ids.get(value.get("id", ""))) is not None and secret[0] == kind:
            self._thing(secret, value, place, in_list=in_list)
        if kind == "FeedEdge":
            self._not_muted(value.get("node"), place)
        if kind == "Notification":
            for actor in value.get("actors") or ():
                if self.oracle.mutes(self._ids[actor["id"]][1]):
                    self.leak(f"{place}.actors", "somebody muted")
        for name, inner in value.items():
            if name.startswith("__"):
                continue
            if inner is not None and (kind, name) in COUNTS:
                self._compare(COUNTS[kind, name](self.oracle, self._number(value), value), inner, f"{place}.{name}")
            elif (kind, name) in FLAGS and secret is not None:
                self._compare(FLAGS[kind, name](self.oracle, secret[1]), inner, f"{place}.{name}")
            if isinstance(inner, dict) and isinstance(inner.get("nodes"), list):
                self._list(kind, secret, name, inner, f"{place}.{name}")
            is_inner = in_list and name in {"node", "nodes", "edges"}
            self._value(inner, f"{place}.{name}", kind, name, value, in_list=is_inner or name in {"nodes", "edges"})

    def _thing(self, secret: Secret, value: dict[str, Json], place: str, *, in_list: bool) -> None:
        self.found[place].add(secret)
        if secret[0] == "Hashtag" and place in HASHTAGS_LOOKED_UP:
            return
        if not self.sees(secret):
            self.leak(place, f"{secret[0]} {secret[1]} itself")
        elif in_list and secret[0] == "User" and not self._is_looked_up(place) and secret not in self._also_seen:
            if not self.oracle.lists_account(secret[1]):
                self.leak(place, f"{secret[0]} {secret[1]} in a list")

    @staticmethod
    def _is_looked_up(place: str) -> bool:
        place = place.split("(")[0] if place.endswith(")") else place
        return any(place == one or place in {f"{one}.nodes", f"{one}.edges.node"} for one in LOOKED_UP)

    def _leaf(self, value: str, place: str, kind: str, name: str) -> None:
        if "ursor" in name:
            self.cursors[f"{kind}.{name}"] = value
            return
        secret = self._ids.get(value)
        is_told = name in _GONE or (kind, name) in _TOLD_GONE
        if secret is not None and name != "id" and not is_told and not self.sees(secret):
            self.leak(place, f"the id of {secret[0]} {secret[1]}")
        self._words(place, value)

    def _words(self, place: str, words: str) -> None:
        for mark in MARK.findall(words):
            secret = self._marks.get(mark)
            if secret is None:
                # Nobody's any more: it was edited away.
                self.leak(place, f"words that are gone ({mark})")
            elif not self.sees(secret):
                self.leak(place, f"words of {secret[0]} {secret[1]}")

    def _number(self, value: dict[str, Json]) -> int | None:
        secret = self._ids.get(value.get("id") or value.get("postId") or "")
        return secret[1] if secret is not None else None

    def _not_muted(self, node: Json, place: str) -> None:
        secret = self._ids.get((node or {}).get("id", ""))
        post = self.oracle.truth.posts.get(secret[1]) if secret is not None else None
        if post is None:
            return
        about = self.oracle.truth.posts.get(post.shared) if post.is_plain_share and post.shared is not None else None
        if any(self.oracle.mutes(one.author) for one in (post, about) if one is not None) and secret not in self._also_seen:
            self.leak(place, f"{secret} of somebody muted")

    def _compare(self, expected: Json, found: Json, place: str) -> None:
        if expected is None:
            return
        self.tally.compared += 1
        if expected != found:
            self.leak(place, f"is {found}, and should be {expected}")

    def _list(self, kind: str, owner: Secret | None, name: str, value: dict[str, Json], place: str) -> None:
        found = {self._ids[node["id"]][1] for node in value["nodes"] if node.get("id") in self._ids}
        problem = check_list(self.oracle, kind, owner, name, found, has_more=bool(value["pageInfo"]["hasNextPage"]))
        if problem is not None:
            self.tally.compared += 1
            if problem:
                self.leak(place, problem)
