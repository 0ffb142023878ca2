// Mercurius with JIT on the same Valkey: one script for the page's ids (the timelines that Tidings wrote, merged with lists),
// one call for counts and likes, texts and authors from memory. Commands of one turn leave together (auto-pipelining).

import { readFileSync } from 'node:fs';
import Fastify from 'fastify';
import { Redis } from 'ioredis';
import mercurius from 'mercurius';
import { loadBodies, openPool } from './database.js';
import { globalId, toConnection, typeDefs, viewerOf } from './schema.js';

const MAX_ID = (1n << 63n) - 1n;
const TIME_SHIFT = 22n;

const pool = openPool();
const redis = new Redis(process.env.TIDINGS_REDIS_URL, { enableAutoPipelining: true, commandTimeout: 2000 });
redis.defineCommand('pageIds', { numberOfKeys: 2, lua: readFileSync(new URL('../page_ids.lua', import.meta.url), 'utf8') });
const bodies = new Map();
const app = Fastify();

// Members sort as numbers do: by length, then as texts; the smallest is the newest.
function isNewer(a, b) {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}

// As Tidings calls it: the environment says how it calls that of viewer 0.
function timelineKey(viewer) {
  return process.env.TIMELINE_OF_0.replace('0', viewer);
}

async function pageIds(viewer, after, size) {
  const place = after == null ? ['', '-inf'] : [String(MAX_ID - BigInt(after)), String(-(BigInt(after) >> TIME_SHIFT))];
  const members = await redis.pageIds(timelineKey(viewer), `peer:lists:${viewer}`, ...place, size);
  return members.sort(isNewer).slice(0, size).map((member) => String(MAX_ID - BigInt(member)));
}

async function remember(ids) {
  const missing = ids.filter((id) => !bodies.has(id));
  if (!missing.length) return;
  for (const row of await loadBodies(pool, missing)) {
    bodies.set(row.id, {
      key: row.id,
      id: globalId('Post', row.id),
      text: row.text,
      createdAt: row.created_at.toISOString(),
      author: {
        id: globalId('User', row.author_id),
        username: row.username,
        displayName: row.display_name,
        avatarUrl: row.avatar_url,
      },
    });
  }
}

async function feed(_, { first, after }, { viewer }) {
  const size = first ?? 20;
  const ids = await pageIds(viewer, after, size + 1);
  if (!ids.length) return toConnection([], size);
  const [counts, liked] = await Promise.all([
    redis.mget(ids.map((id) => `peer:counts:${id}`)),
    redis.smismember(`peer:liked:${viewer}`, ids),
    remember(ids),
  ]);
  const nodes = ids.map((id, place) => {
    const [likes, comments] = counts[place].split(' ');
    return { ...bodies.get(id), likeCount: +likes, commentCount: +comments, viewerHasLiked: liked[place] === 1 };
  });
  return toConnection(nodes, size);
}

await app.register(mercurius, {
  schema: typeDefs,
  jit: 1,
  context: (request) => ({ viewer: viewerOf(request) }),
  resolvers: { Query: { feed } },
});
await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) });
