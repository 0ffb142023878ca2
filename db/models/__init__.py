"""The tables. Importing this package registers all of them on `Model.metadata`, which is what Alembic compares with."""

from db.models.deployment import Deployment
from db.models.follow import Follow, FollowRequest
from db.models.heartbeat import Heartbeat
from db.models.model import Model
from db.models.outbox import OutboxEvent
from db.models.post import Post
from db.models.user import User

__all__ = ["Deployment", "Follow", "FollowRequest", "Heartbeat", "Model", "OutboxEvent", "Post", "User"]
