"""The tables. Importing this package registers all of them on `Model.metadata`, which is what Alembic compares with."""

from db.models.account_visit import AccountVisit
from db.models.activity import Activity
from db.models.deployment import Deployment
from db.models.engagement import Bookmark, Comment, CounterChange, Like
from db.models.feed_position import FeedPosition
from db.models.follow import Follow, FollowRequest, KeptFollow
from db.models.hashtag import Hashtag, HashtagFollow, HashtagTrend, PostHashtag
from db.models.heartbeat import Heartbeat
from db.models.media import Media, PostMedia
from db.models.model import Model
from db.models.notification import Notification, NotificationActor, NotificationPosition
from db.models.outbox import OutboxEvent
from db.models.post import Post
from db.models.protection import IdempotencyKey, Report
from db.models.search import PopularAccount, SearchableAccount, SearchablePost
from db.models.shut_out import Block, Mute
from db.models.turn import Turn, Walk
from db.models.user import User

__all__ = [
    "AccountVisit",
    "Activity",
    "Block",
    "Bookmark",
    "Comment",
    "CounterChange",
    "Deployment",
    "FeedPosition",
    "Follow",
    "FollowRequest",
    "Hashtag",
    "HashtagFollow",
    "HashtagTrend",
    "Heartbeat",
    "IdempotencyKey",
    "KeptFollow",
    "Like",
    "Media",
    "Model",
    "Mute",
    "Notification",
    "NotificationActor",
    "NotificationPosition",
    "OutboxEvent",
    "PopularAccount",
    "Post",
    "PostHashtag",
    "PostMedia",
    "Report",
    "SearchableAccount",
    "SearchablePost",
    "Turn",
    "User",
    "Walk",
]
