// Apollo Server as its documentation shows it: resolvers by field, DataLoader for authors and likes, PostgreSQL.

import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import DataLoader from 'dataloader';
import { loadLiked, loadUsers, openPool, pullPosts } from './database.js';
import { globalId, toConnection, typeDefs, viewerOf } from './schema.js';

const pool = openPool();

const resolvers = {
  Query: {
    async feed(_, { first, after }, { viewer }) {
      const size = first ?? 20;
      const rows = await pullPosts(pool, viewer, after, size + 1);
      return toConnection(rows.map((row) => ({ key: row.id, row })), size);
    },
  },
  Post: {
    id: ({ key }) => globalId('Post', key),
    text: ({ row }) => row.text,
    createdAt: ({ row }) => row.created_at.toISOString(),
    likeCount: ({ row }) => row.like_count,
    commentCount: ({ row }) => row.comment_count,
    viewerHasLiked: ({ key }, _, { liked }) => liked.load(key),
    author: ({ row }, _, { users }) => users.load(row.author_id),
  },
  User: {
    id: (user) => globalId('User', user.id),
    displayName: (user) => user.display_name,
    avatarUrl: (user) => user.avatar_url,
  },
};

async function context({ req }) {
  const viewer = viewerOf(req);
  return {
    viewer,
    users: new DataLoader(async (ids) => {
      const found = new Map((await loadUsers(pool, ids)).map((row) => [row.id, row]));
      return ids.map((id) => found.get(id));
    }),
    liked: new DataLoader(async (ids) => {
      const found = new Set((await loadLiked(pool, viewer, ids)).map((row) => row.post_id));
      return ids.map((id) => found.has(id));
    }),
  };
}

const server = new ApolloServer({ typeDefs, resolvers });
await startStandaloneServer(server, { context, listen: { host: '127.0.0.1', port: Number(process.env.PORT) } });
