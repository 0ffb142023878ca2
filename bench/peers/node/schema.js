// What all Node peers but PostGraphile answer: the part of Tidings' schema that the feed query asks for.

export const typeDefs = /* GraphQL */ `
  type Query { feed(first: Int, after: String): FeedConnection! }
  type FeedConnection { edges: [FeedEdge!]! pageInfo: PageInfo! }
  type FeedEdge { cursor: String! node: Post! }
  type PageInfo { hasNextPage: Boolean! endCursor: String }
  type Post {
    id: ID!
    text: String!
    createdAt: String!
    likeCount: Int!
    commentCount: Int!
    viewerHasLiked: Boolean!
    author: User!
  }
  type User { id: ID! username: String! displayName: String! avatarUrl: String }
`;

const VIEWER_HEADER = 'x-viewer';

// Who asks. Peers have no authentication: they believe this header.
export function viewerOf(request) {
  return request.headers[VIEWER_HEADER];
}

// Ids as Tidings gives them out: the type's name and the number, in URL-safe base64.
export function globalId(type, id) {
  return Buffer.from(`${type}:${id}`).toString('base64url');
}

// A page of nodes (each with `key`, its number as a text), of which one more than wanted was read.
export function toConnection(nodes, size) {
  const shown = nodes.slice(0, size);
  const edges = shown.map((node) => ({ cursor: node.key, node }));
  return { edges, pageInfo: { hasNextPage: nodes.length > size, endCursor: edges.length ? edges[edges.length - 1].cursor : null } };
}
