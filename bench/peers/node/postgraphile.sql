-- What PostGraphile is shown: two views and a function, in a schema of their own, made anew each time.
DROP SCHEMA IF EXISTS peer CASCADE;
CREATE SCHEMA peer;
CREATE VIEW peer.users AS SELECT id, username, display_name, avatar_url FROM public.users;
COMMENT ON VIEW peer.users IS E'@primaryKey id\n@behavior -connection -list -insert -update -delete';
CREATE VIEW peer.posts AS
  SELECT id, author_id, text, created_at, like_count, comment_count FROM public.posts WHERE deleted_at IS NULL;
COMMENT ON VIEW peer.posts IS
  E'@primaryKey id\n@foreignKey (author_id) references users (id)|@fieldName author|@behavior -connection -list\n@behavior -connection -list -insert -update -delete';
CREATE FUNCTION peer.posts_viewer_has_liked(post peer.posts, viewer bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM public.likes l WHERE l.post_id = post.id AND l.user_id = viewer)
$$;
CREATE FUNCTION peer.feed(viewer bigint, below bigint, size integer) RETURNS SETOF peer.posts LANGUAGE sql STABLE ROWS 21 AS $$
  SELECT p.id, p.author_id, p.text, p.created_at, p.like_count, p.comment_count
  FROM (
    SELECT found.id FROM (
      SELECT followee_id FROM public.follows WHERE follower_id = viewer UNION ALL SELECT viewer
    ) s CROSS JOIN LATERAL (
      SELECT id FROM public.posts WHERE author_id = s.followee_id AND id < below AND deleted_at IS NULL
      ORDER BY id DESC LIMIT size
    ) found ORDER BY found.id DESC LIMIT size
  ) page JOIN public.posts p USING (id) ORDER BY p.id DESC
$$;
COMMENT ON FUNCTION peer.feed IS E'@behavior +connection -list';
