import { createClient } from 'graphql-ws';

/** The value of the Authorization header, however its name is written; undefined when there is none. */
export function authorizationOf(headers) {
  return Object.entries(headers ?? {}).find(([name]) => name.toLowerCase() === 'authorization')?.[1];
}

function isSubscription(documentAST, operationName) {
  const operations = documentAST?.definitions.filter((definition) => definition.kind === 'OperationDefinition') ?? [];
  const chosen = operationName ? operations.find((operation) => operation.name?.value === operationName) : operations[0];
  return chosen?.operation === 'subscription';
}

async function post(endpoint, request, headers) {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json, application/json;q=0.9', ...headers },
    body: JSON.stringify(request),
  });
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`The server answered ${response.status} without JSON: ${text.slice(0, 500)}`);
  }
}

function readable(error) {
  return error instanceof CloseEvent ? new Error(`The connection was closed: ${error.code} ${error.reason}`.trim()) : error;
}

/**
 * One socket for each subscription: it belongs to whomever the headers name.
 * An observable, since the return() of an async generator would wait for the next event before it ends anything.
 */
function subscription(endpoint, request, headers) {
  const url = new URL(endpoint, location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const authorization = authorizationOf(headers);
  return {
    subscribe(observer) {
      let ended = false; // GraphiQL may have begun the next run by the time this socket says goodbye
      const client = createClient({
        url: url.href,
        connectionParams: authorization ? { Authorization: authorization } : {},
        retryAttempts: 0, // a lost connection shall be seen, not hidden behind a gap in the events
      });
      function end(report) {
        if (ended) return;
        ended = true;
        client.dispose();
        report?.();
      }
      const stop = client.subscribe(request, {
        next: (result) => ended || observer.next(result),
        error: (error) => end(() => observer.error(readable(error))),
        complete: () => end(() => observer.complete()),
      });
      return {
        unsubscribe() {
          ended = true;
          stop();
          client.dispose();
        },
      };
    },
  };
}

/** GraphiQL's fetcher: requests by HTTP, subscriptions by graphql-transport-ws on the same path. */
export function createFetcher(endpoint) {
  return (request, { headers, documentAST } = {}) =>
    isSubscription(documentAST, request.operationName)
      ? subscription(endpoint, request, headers)
      : post(endpoint, request, headers);
}
