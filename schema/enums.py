"""The domain's enums under their public names, with a description for each value."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from domain.errors import RefusalCode
from domain.feed import FeedDegradation, FeedDelivery, FeedOrder, FeedReasonKind, FeedRule, FeedState
from domain.media import MediaKind, MediaState
from domain.moderation import ReportReason
from domain.notifications import NotificationKind
from domain.records import FollowState, TextEntityKind, Visibility
from services.feeds.feed_events import FeedResetReason

E = TypeVar("E", bound=type[Enum])


def _public(enum: E, name: str, description: str, values: Mapping[str, str]) -> E:
    result = strawberry.enum(enum, name=name, description=description)
    definition: StrawberryEnumDefinition = result.__strawberry_definition__  # type: ignore[attr-defined]
    for value in definition.values:
        value.description = values[value.name]
    return result


_public(
    Visibility,
    "Visibility",
    "Who may see a post.",
    {
        "PUBLIC": "Everybody; of a private account, its approved followers.",
        "FRIENDS": "Those who follow the author and are followed back.",
        "PRIVATE": "The author alone.",
    },
)
_public(
    FollowState,
    "FollowState",
    "How the viewer stands to an account.",
    {
        "NOT_FOLLOWING": "The viewer does not follow the account.",
        "REQUESTED": "The viewer has asked to follow a private account and waits for the answer.",
        "FOLLOWING": "The viewer follows the account.",
    },
)
_public(
    TextEntityKind,
    "TextEntityKind",
    "What a span of a text is.",
    {"MENTION": "@name", "HASHTAG": "#tag", "LINK": "An http or https address."},
)
_public(
    FeedRule,
    "FeedRule",
    "Why a post is, or is not, in a feed: the first rule that decides.",
    {
        "SHOWN": "It is in the feed.",
        "NOT_FOLLOWING": "The viewer follows neither its author, nor anybody who shared it, nor one of its hashtags.",
        "BLOCKED": "The viewer has blocked its author, or whoever shared it.",
        "MUTED": "The viewer has muted its author, or whoever shared it.",
        "MUTED_WORD": "It holds one of the viewer's muted words.",
        "NOT_VISIBLE": "There is no such post, or the viewer may not see it.",
        "DELETED": "It was deleted.",
        "SHARES_HIDDEN": "The viewer has hidden shares, all of them or this account's.",
        "REPEATED": "The same post is in the feed already, further down.",
        "DAILY_LIMIT": "The viewer sees only so many posts of its author a day.",
        "ALREADY_SEEN": "The viewer has seen it, and hides what was seen.",
    },
)
_public(
    FeedOrder,
    "FeedOrder",
    "The order of a feed.",
    {"LATEST": "Newest first.", "RANKED": "By a model; where it is not available, newest first, and the status says so."},
)
_public(
    FeedState,
    "FeedState",
    "Why a page ends where it ends.",
    {
        "READY": "There is more below.",
        "EMPTY_NO_FOLLOWS": "The feed is empty: the viewer follows nobody.",
        "EMPTY_NO_POSTS": "The feed is empty: those whom the viewer follows have no posts that the viewer may see.",
        "END_OF_FEED": "Nothing lies below this page.",
    },
)
_public(
    FeedDegradation,
    "FeedDegradation",
    "What was not available while a page was made.",
    {
        "CACHE_UNAVAILABLE": "The cache did not answer; the page comes from the database and is complete.",
        "DATABASE_UNAVAILABLE": "The database did not answer; the page comes from the cache.",
        "RANKER_UNAVAILABLE": "The ranking did not answer; the page is in LATEST order.",
        "PULLED_AUTHORS_UNAVAILABLE": "Posts of authors with very many followers are missing.",
        "FAN_OUT_DELAYED": "Delivery to timelines lags; the page has been completed from the database.",
    },
)
_public(
    FeedReasonKind,
    "FeedReasonKind",
    "By which way an entry came into the feed.",
    {
        "OWN_POST": "The viewer wrote it.",
        "FOLLOWED_AUTHOR": "The viewer follows its author.",
        "FOLLOWED_SHARER": "Somebody whom the viewer follows has shared it.",
        "FOLLOWED_HASHTAG": "The viewer follows one of its hashtags.",
    },
)
_public(
    FeedDelivery,
    "FeedDelivery",
    "How an entry reached the feed.",
    {"PUSHED": "Written into the timeline when it was posted.", "PULLED": "Merged when the feed was read."},
)
_public(
    FeedResetReason,
    "FeedResetReason",
    "Why a feed has to be fetched again.",
    {
        "WINDOW_EXPIRED": "The cursor is too old, or too much was missed.",
        "EPOCH_CHANGED": "The cursor comes from other servers than those of now.",
        "LAGGED": "The client took its events too slowly.",
        "FEED_CHANGED": "One action changed so much that events would be more than a page.",
    },
)
_public(
    MediaKind,
    "MediaKind",
    "What an upload shows.",
    {"IMAGE": "A picture; it may move.", "VIDEO": "A film. None are taken so far."},
)
_public(
    MediaState,
    "MediaState",
    "How far an upload has come.",
    {
        "PENDING": "It is awaited, or about to be cleaned.",
        "READY": "It can be shown.",
        "REJECTED": "It was no picture, or one that cannot be shown.",
    },
)
_public(
    RefusalCode,
    "UserErrorCode",
    "Why an input was refused.",
    {
        "BLANK": "There is nothing in it.",
        "TOO_LONG": "It is longer than allowed.",
        "INVALID": "It is not of the form that is needed.",
        "NOT_FOUND": "There is no such thing, or none that the viewer may know of.",
        "NOT_ALLOWED": "The viewer may not do this.",
        "ALREADY_EXISTS": "There is one already.",
        "SELF_REFERENCE": "The viewer cannot do this to themselves.",
        "LIMIT_REACHED": "There are as many as there may be.",
        "CONTENT_REJECTED": "The content breaks a rule of this service.",
        "IDEMPOTENCY_MISMATCH": "The idempotency key was used with another input.",
        "IDEMPOTENCY_CONFLICT": "The same operation is still under way.",
    },
)
_public(
    ReportReason,
    "ReportReason",
    "Why a post should not be here.",
    {
        "SPAM": "It advertises, deceives, or is sent over and over.",
        "ABUSE": "It attacks somebody.",
        "ILLEGAL": "It breaks the law.",
        "OTHER": "Something else, which the comment says.",
    },
)
_public(
    NotificationKind,
    "NotificationKind",
    "What a notification tells of.",
    {
        "LIKE": "The viewer's post is liked.",
        "COMMENT": "Somebody wrote under the viewer's post.",
        "SHARE": "The viewer's post was shared or quoted.",
        "FOLLOW": "Somebody follows the viewer.",
        "FOLLOW_REQUEST": "Somebody asks to follow the viewer's private account.",
        "MENTION": "The viewer is mentioned in a post or comment.",
        "CLOSE_FRIEND_POST": "A close friend has posted.",
    },
)
