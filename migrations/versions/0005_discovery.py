"""What posts and accounts are found by, and whom many follow."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Inside of words: soft hyphen, zero width space and joiners, variation selectors. What they join stays one word.
_INVISIBLE = r"\u00AD\u200B-\u200D\u2060\uFE0E\uFE0F\uFEFF"
# Whatever is neither letter, digit, mark nor picture. Parsers of some locales take most of it for letters; what is done here
# does not depend on the locale.
_SIGNS = (
    r"\u0001-\u002F:-@\[-`{-\u00BF\u00D7\u00F7\u055A-\u055F\u0589\u058A\u05BE\u05C0\u05C3\u05F3\u05F4\u0609-\u060D"
    r"\u061B-\u061F\u066A-\u066D\u06D4\u0964\u0965\u0E5A\u0E5B\u2000-\u206F\u20A0-\u20CF\u3000-\u3004\u3008-\u3020\u3030\u303D\u30FB\uA4FE\uA4FF"
    r"\uE000-\uF8FF"
)
# Thai, Lao, Burmese, Khmer, Japanese, Chinese, and Korean, whose words carry endings.
_WITHOUT_SPACES = (
    r"\u0E00-\u0EFF\u1000-\u109F\u1780-\u17FF\u3005-\u3007\u3040-\u30FF\u3400-\u4DBF\u4E00-\u9FFF\uAC00-\uD7A3"
    r"\U00020000-\U0003FFFF"
)
_PICTURES = r"\u2100-\u2BFF\U0001F000-\U0001FBFF"

_TEXT = f"""
CREATE FUNCTION search_text(body text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  raw text := left(body, 20000);
BEGIN
  IF octet_length(raw) = char_length(raw) THEN
    RETURN regexp_replace(lower(raw), '[^a-z0-9]+', ' ', 'g');
  END IF;
  raw := regexp_replace(lower(normalize(raw, NFKC)), '[{_INVISIBLE}]+', '', 'g');
  RETURN regexp_replace(raw, '[{_SIGNS}]+', ' ', 'g');
END $$
"""
_SPACED = f"""
CREATE FUNCTION search_spaced(folded text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF octet_length(folded) = char_length(folded) THEN
    RETURN folded;
  END IF;
  RETURN regexp_replace(regexp_replace(folded, '[{_PICTURES}]+', ' ', 'g'), '([{_WITHOUT_SPACES}])', ' \\1 ', 'g');
END $$
"""
_PICTURES_OF = f"""
CREATE FUNCTION search_pictures(folded text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF octet_length(folded) = char_length(folded) OR folded !~ '[{_PICTURES}]' THEN
    RETURN '{{}}';
  END IF;
  RETURN ARRAY(SELECT DISTINCT one[1] FROM regexp_matches(folded, '[{_PICTURES}]', 'g') AS matches (one));
END $$
"""
_WORDS = """
CREATE FUNCTION search_words(folded text) RETURNS tsvector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT to_tsvector('pg_catalog.simple', search_spaced(folded)) || array_to_tsvector(search_pictures(folded))
$$
"""
_MARKS = """
CREATE FUNCTION search_marks(entities jsonb) RETURNS text[] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF entities = '[]' THEN
    RETURN '{}';
  END IF;
  RETURN ARRAY(
    SELECT DISTINCT coalesce('#' || (one ->> 'h'), lower(one ->> 't')) FROM jsonb_array_elements(entities) AS one
    WHERE one ? 'h' OR one ->> 'k' = 'MENTION'
  );
END $$
"""
# The number of each period at four levels, of 2^21, 2^25, 2^29 and 2^33 ms: domain/search_periods.py.
_PERIODS = """
CREATE FUNCTION search_periods(post_id bigint) RETURNS integer[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT ARRAY[
    CAST(post_id >> 43 AS integer), (1 << 24) | CAST(post_id >> 47 AS integer),
    (2 << 24) | CAST(post_id >> 51 AS integer), (3 << 24) | CAST(post_id >> 55 AS integer)
  ]
$$
"""
_KEEP_POST = """
CREATE FUNCTION keep_searchable_post() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  folded text;
BEGIN
  IF NEW.deleted_at IS NOT NULL THEN
    DELETE FROM searchable_posts WHERE post_id = NEW.id;
    RETURN NULL;
  END IF;
  folded := search_text(NEW.text);
  INSERT INTO searchable_posts (post_id, body, words)
  VALUES (NEW.id, folded, search_words(folded) || array_to_tsvector(search_marks(NEW.entities)))
  ON CONFLICT (post_id) DO UPDATE SET body = excluded.body, words = excluded.words;
  RETURN NULL;
END $$
"""
_KEEP_ACCOUNT = """
CREATE FUNCTION keep_searchable_account() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  username text := btrim(search_text(NEW.username));
  display_name text := btrim(search_text(NEW.display_name));
BEGIN
  INSERT INTO searchable_accounts (user_id, username, display_name, words)
  VALUES (NEW.id, username, display_name, search_words(username) || search_words(display_name))
  ON CONFLICT (user_id) DO UPDATE
    SET username = excluded.username, display_name = excluded.display_name, words = excluded.words;
  RETURN NULL;
END $$
"""
_TRIGGERS = (
    """
    CREATE TRIGGER keep_searchable_after_insert AFTER INSERT ON posts FOR EACH ROW
    WHEN (NOT NEW.is_plain_share) EXECUTE FUNCTION keep_searchable_post()
    """,
    """
    CREATE TRIGGER keep_searchable_after_update AFTER UPDATE OF text, entities, deleted_at ON posts FOR EACH ROW
    WHEN (NOT NEW.is_plain_share AND (OLD.text, OLD.entities, OLD.deleted_at) IS DISTINCT FROM
      (NEW.text, NEW.entities, NEW.deleted_at)) EXECUTE FUNCTION keep_searchable_post()
    """,
    """
    CREATE TRIGGER keep_searchable_after_insert AFTER INSERT ON users FOR EACH ROW
    EXECUTE FUNCTION keep_searchable_account()
    """,
    """
    CREATE TRIGGER keep_searchable_after_update AFTER UPDATE OF username, display_name ON users FOR EACH ROW
    WHEN ((OLD.username, OLD.display_name) IS DISTINCT FROM (NEW.username, NEW.display_name))
    EXECUTE FUNCTION keep_searchable_account()
    """,
)
_FILL = (
    """
    INSERT INTO searchable_posts (post_id, body, words)
    SELECT id, folded, search_words(folded) || array_to_tsvector(search_marks(entities))
    FROM (SELECT id, entities, search_text(text) AS folded FROM posts WHERE deleted_at IS NULL AND NOT is_plain_share
      ORDER BY id OFFSET 0) AS p
    """,
    """
    INSERT INTO searchable_accounts (user_id, username, display_name, words)
    SELECT id, username, display_name, search_words(username) || search_words(display_name)
    FROM (
      SELECT id, btrim(search_text(username)) AS username, btrim(search_text(display_name)) AS display_name FROM users OFFSET 0
    ) AS u
    """,
    """
    INSERT INTO popular_accounts (user_id, follower_count)
    SELECT id, follower_count FROM users WHERE follower_count > 0 ORDER BY follower_count DESC, id DESC LIMIT 2000
    """,
)


def upgrade() -> None:
    # Trusted: whoever may create objects in the database may create it.
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    for function in (_TEXT, _SPACED, _PICTURES_OF, _WORDS, _MARKS, _PERIODS):
        op.execute(sa.text(function.replace(":", r"\:")))
    op.create_table(
        "searchable_posts",
        sa.Column("post_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("words", postgresql.TSVECTOR(), nullable=False),
        sa.PrimaryKeyConstraint("post_id", name=op.f("pk_searchable_posts")),
    )
    op.create_table(
        "searchable_accounts",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("words", postgresql.TSVECTOR(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_searchable_accounts")),
    )
    op.create_table(
        "popular_accounts",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("follower_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_popular_accounts")),
    )
    for statement in _FILL:
        op.execute(statement)
    op.create_index(
        "ix_searchable_posts_words",
        "searchable_posts",
        ["words", "body", sa.literal_column("search_periods(post_id)")],
        postgresql_using="gin",
        postgresql_ops={"body": "gin_trgm_ops"},
        postgresql_with={"gin_pending_list_limit": "1024"},
    )
    op.create_index(
        "ix_searchable_accounts_words",
        "searchable_accounts",
        ["words", "username", "display_name"],
        postgresql_using="gin",
        postgresql_ops={"username": "gin_trgm_ops", "display_name": "gin_trgm_ops"},
        postgresql_with={"gin_pending_list_limit": "1024"},
    )
    op.create_index(
        "ix_popular_accounts_most_followed",
        "popular_accounts",
        [sa.literal_column("follower_count DESC"), sa.literal_column("user_id DESC")],
    )
    for statement in (_KEEP_POST, _KEEP_ACCOUNT):
        op.execute(sa.text(statement.replace(":", r"\:")))
    for statement in _TRIGGERS:
        op.execute(statement)


def downgrade() -> None:
    for table in ("posts", "users"):
        op.execute(f"DROP TRIGGER keep_searchable_after_insert ON {table}")
        op.execute(f"DROP TRIGGER keep_searchable_after_update ON {table}")
    op.execute("DROP FUNCTION keep_searchable_post()")
    op.execute("DROP FUNCTION keep_searchable_account()")
    op.drop_table("popular_accounts")
    op.drop_table("searchable_accounts")
    op.drop_table("searchable_posts")
    op.execute("DROP FUNCTION search_periods(bigint)")
    op.execute("DROP FUNCTION search_marks(jsonb)")
    op.execute("DROP FUNCTION search_words(text)")
    op.execute("DROP FUNCTION search_pictures(text)")
    op.execute("DROP FUNCTION search_spaced(text)")
    op.execute("DROP FUNCTION search_text(text)")
    # The extension stays: it may be used beside Tidings.
