// PostgreSQL as the Node peers read it.

import pg from 'pg';

const POOL_SIZE = 10;
const COMMAND_MILLISECONDS = 2000;
const MAX_ID = '9223372036854775807';

// The newest few of each followed author, and of these the newest: the same statement as that of the Python peers.
const PULL = `
  SELECT p.id, p.text, p.created_at, p.like_count, p.comment_count, p.author_id,
    EXISTS (SELECT FROM likes l WHERE l.post_id = p.id AND l.user_id = $1) AS liked,
    u.username, u.display_name, u.avatar_url
  FROM (
    SELECT found.id FROM (
      SELECT followee_id FROM follows WHERE follower_id = $1 UNION ALL SELECT $1
    ) s CROSS JOIN LATERAL (
      SELECT id FROM posts WHERE author_id = s.followee_id AND id < $2 AND deleted_at IS NULL ORDER BY id DESC LIMIT $3
    ) found ORDER BY found.id DESC LIMIT $3
  ) page JOIN posts p USING (id) JOIN users u ON u.id = p.author_id ORDER BY p.id DESC`;

const PULL_POSTS = `
  SELECT p.id, p.text, p.created_at, p.like_count, p.comment_count, p.author_id
  FROM (
    SELECT found.id FROM (
      SELECT followee_id FROM follows WHERE follower_id = $1 UNION ALL SELECT $1
    ) s CROSS JOIN LATERAL (
      SELECT id FROM posts WHERE author_id = s.followee_id AND id < $2 AND deleted_at IS NULL ORDER BY id DESC LIMIT $3
    ) found ORDER BY found.id DESC LIMIT $3
  ) page JOIN posts p USING (id) ORDER BY p.id DESC`;

export function openPool() {
  return new pg.Pool({
    connectionString: process.env.TIDINGS_DATABASE_URL,
    max: POOL_SIZE,
    statement_timeout: COMMAND_MILLISECONDS,
  });
}

// Rows of a page with authors and likes. Prepared once a connection, by name.
export async function pull(pool, viewer, after, size) {
  return (await pool.query({ name: 'pull', text: PULL, values: [viewer, after ?? MAX_ID, size] })).rows;
}

// Rows of a page without them.
export async function pullPosts(pool, viewer, after, size) {
  return (await pool.query({ name: 'pull-posts', text: PULL_POSTS, values: [viewer, after ?? MAX_ID, size] })).rows;
}

export async function loadUsers(pool, ids) {
  const text = 'SELECT id, username, display_name, avatar_url FROM users WHERE id = ANY($1::bigint[])';
  return (await pool.query({ name: 'users', text, values: [ids] })).rows;
}

export async function loadLiked(pool, viewer, ids) {
  const text = 'SELECT post_id FROM likes WHERE user_id = $1 AND post_id = ANY($2::bigint[])';
  return (await pool.query({ name: 'liked', text, values: [viewer, ids] })).rows;
}

export async function loadBodies(pool, ids) {
  const text = `SELECT p.id, p.text, p.created_at, p.author_id, u.username, u.display_name, u.avatar_url
    FROM posts p JOIN users u ON u.id = p.author_id WHERE p.id = ANY($1::bigint[])`;
  return (await pool.query({ name: 'bodies', text, values: [ids] })).rows;
}
