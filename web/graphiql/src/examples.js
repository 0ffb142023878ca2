import createPost from './examples/create-post.graphql?raw';
import followUser from './examples/follow-user.graphql?raw';
import homeFeed from './examples/home-feed.graphql?raw';
import newPosts from './examples/new-posts.graphql?raw';

function tab(query, variables) {
  return { query, variables: variables ? JSON.stringify(variables, null, 2) : null };
}

/**
 * What the tabs hold on the first visit; afterwards GraphiQL keeps the reader's own tabs in localStorage.
 * The first tab needs no variables: GraphiQL 5.4 fills the variables editor only when a tab is changed to.
 */
export const EXAMPLES = [
  tab(homeFeed),
  tab(createPost, { input: { text: 'Hello from GraphiQL #tidings', visibility: 'PUBLIC' } }),
  tab(newPosts),
  tab(followUser, { username: 'ada', input: { userId: 'paste the id here' } }),
];
