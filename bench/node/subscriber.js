// One subscriber with the official `graphql-ws` client: it resumes by the client's own retry, `after` being the last cursor.
// The first line of stdin is its configuration; each thing that happens is one line of JSON on stdout; it ends with stdin.
import { createInterface } from 'node:readline';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const say = (kind, more = {}) => process.stdout.write(`${JSON.stringify({ kind, ...more })}\n`);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { url, token, query, field, after, cutSeconds } = JSON.parse((await lines.next()).value);

// The client sends this very object again whenever it has connected anew.
const payload = { query, variables: { after } };
let isCut = cutSeconds > 0;
let timer;

function cutLater(socket) {
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (!isCut) return;
    say('cut');
    socket.terminate();
  }, -Math.log(1 - Math.random()) * cutSeconds * 1_000);
}

function take({ data, errors }) {
  const event = data?.[field];
  if (errors || !event) {
    say('error', { code: String(errors?.[0]?.extensions?.code) });
    return;
  }
  payload.variables.after = event.cursor;
  const kind = event.__typename;
  say(kind, kind === 'PostAdded' ? { id: event.edge.node.id } : {});
}

const client = createClient({
  url,
  webSocketImpl: WebSocket,
  connectionParams: { Authorization: `Bearer ${token}` },
  retryAttempts: Number.POSITIVE_INFINITY,
  retryWait: () => new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 200)),
  shouldRetry: () => true,
  on: {
    connected: (socket) => {
      say('open');
      if (isCut) cutLater(socket);
    },
  },
});

// An operation that ends with an error of its own is not the connection's end: then the subscription is made again by hand.
function subscribe() {
  client.subscribe(payload, {
    next: take,
    error: (problem) => {
      say('error', { code: String(problem?.[0]?.extensions?.code ?? problem?.code ?? problem) });
      setTimeout(subscribe, 500);
    },
    complete: () => say('complete'),
  });
}

subscribe();
// One more line: no more cuts. The end: the end.
if (!(await lines.next()).done) {
  isCut = false;
  await lines.next();
}
process.exit(0);
