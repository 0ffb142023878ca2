"""The tables. Importing this package registers all of them on `Model.metadata`, which is what Alembic compares with."""

from db.models.deployment import Deployment
from db.models.feed_position import FeedPosition
from db.models.follow import Follow, FollowRequest, KeptFollow
from db.models.hashtag import Hashtag, HashtagFollow, PostHashtag
from db.models.heartbeat import Heartbeat
from db.models.model import Model
from db.models.outbox import OutboxEvent
from db.models.post import Post
from db.models.shut_out import Block, Mute
from db.models.user import User

__all__ = [
    "Block",
    "Deployment",
    "FeedPosition",
    "Follow",
    "FollowRequest",
    "Hashtag",
    "HashtagFollow",
    "Heartbeat",
    "KeptFollow",
    "Model",
    "Mute",
    "OutboxEvent",
    "Post",
    "PostHashtag",
    "User",
]
