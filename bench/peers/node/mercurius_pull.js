// Mercurius with JIT on PostgreSQL alone: one statement a page, plain objects, no further resolvers.

import Fastify from 'fastify';
import mercurius from 'mercurius';
import { openPool, pull } from './database.js';
import { globalId, toConnection, typeDefs, viewerOf } from './schema.js';

const pool = openPool();
const app = Fastify();

function toNode(row) {
  return {
    key: row.id,
    id: globalId('Post', row.id),
    text: row.text,
    createdAt: row.created_at.toISOString(),
    likeCount: row.like_count,
    commentCount: row.comment_count,
    viewerHasLiked: row.liked,
    author: {
      id: globalId('User', row.author_id),
      username: row.username,
      displayName: row.display_name,
      avatarUrl: row.avatar_url,
    },
  };
}

await app.register(mercurius, {
  schema: typeDefs,
  jit: 1,
  context: (request) => ({ viewer: viewerOf(request) }),
  resolvers: {
    Query: {
      async feed(_, { first, after }, { viewer }) {
        const size = first ?? 20;
        return toConnection((await pull(pool, viewer, after, size + 1)).map(toNode), size);
      },
    },
  },
});
await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) });
