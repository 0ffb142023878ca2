"""What the paths under `/v1` ask: each is one named GraphQL document, and answers a part of its data."""

from __future__ import annotations

from dataclasses import dataclass

_PERSON = "fragment Person on User { id username displayName avatarUrl isVerified }"
_BRIEF_POST = """
fragment BriefPost on Post {
  id
  author { ...Person }
  text
  entities { kind start end text url user { id username } hashtag { name } }
  location { name latitude longitude }
  visibility
  createdAt
  editedAt
  likeCount
  commentCount
  shareCount
  viewerHasLiked
  viewerHasShared
  viewerHasBookmarked
  viewerCanEdit
  viewerCanDelete
  isShare
}
"""
_WHOLE_POST = "fragment WholePost on Post { ...BriefPost sharedPost { ...BriefPost } }"
_POST = f"{_WHOLE_POST}\n{_BRIEF_POST}\n{_PERSON}"
_ENTRY = """
fragment Entry on FeedEdge {
  cursor
  node { ...WholePost }
  reasons { kind delivery userCount users { ...Person } hashtag { name } }
  score
}
"""
_PAGE_INFO = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
_USER_ERRORS = "userErrors { field message code }"


@dataclass(frozen=True, slots=True)
class RestDocument:
    """A document and where its answer lies in the data: null there is 404 for whoever asked for something by its id."""

    operation_name: str
    query: str
    answer_path: tuple[str, ...]


CREATE_POST = RestDocument(
    "CreatePost",
    f"""
    mutation CreatePost($input: CreatePostInput!) {{
      createPost(input: $input) {{ post {{ ...WholePost }} feedEdge {{ ...Entry }} {_USER_ERRORS} }}
    }}
    {_ENTRY}{_POST}
    """,
    ("createPost",),
)
HOME_FEED = RestDocument(
    "HomeFeed",
    f"""
    query HomeFeed($limit: Int!, $cursor: String) {{
      feed(first: $limit, after: $cursor) {{
        edges {{ ...Entry }}
        {_PAGE_INFO}
        status {{ state complete asOf order rankedBy degradations }}
        eventCursor
      }}
    }}
    {_ENTRY}{_POST}
    """,
    ("feed",),
)
USER_POSTS = RestDocument(
    "UserPosts",
    f"""
    query UserPosts($id: ID!, $limit: Int!, $cursor: String) {{
      node(id: $id) {{
        ... on User {{ posts(first: $limit, after: $cursor) {{ edges {{ cursor node {{ ...WholePost }} }} {_PAGE_INFO} }} }}
      }}
    }}
    {_POST}
    """,
    ("node", "posts"),
)
LIKE_POST = RestDocument(
    "LikePost",
    f"""
    mutation LikePost($input: LikePostInput!) {{
      likePost(input: $input) {{ post {{ id likeCount viewerHasLiked }} {_USER_ERRORS} }}
    }}
    """,
    ("likePost",),
)
DOCUMENTS = (CREATE_POST, HOME_FEED, USER_POSTS, LIKE_POST)
