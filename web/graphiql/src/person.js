const STORAGE_KEY = 'tidings:graphiql-person';

/** Asks the development server for a token. Throws with a message for the reader. */
export async function login(username) {
  const response = await fetch('/dev/login', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username }),
    signal: AbortSignal.timeout(10_000),
  });
  const body = await response.json().catch(() => ({}));
  if (!response.ok || !body.token) {
    throw new Error(body.errors?.[0]?.message ?? body.error ?? `The server refused (${response.status}).`);
  }
  sessionStorage.setItem(STORAGE_KEY, username); // the name, not the token: each browser tab may be somebody else
  return { username, token: body.token };
}

/** Whom the server named, or whom the reader chose before in this browser tab. */
export async function initialPerson(config) {
  const chosen = config.devLogin ? sessionStorage.getItem(STORAGE_KEY) : null;
  if (chosen && chosen !== config.username) {
    try {
      return await login(chosen);
    } catch {
      sessionStorage.removeItem(STORAGE_KEY);
    }
  }
  return { username: config.username, token: config.token };
}

/** What the header editor is filled with. */
export function headersFor({ token }) {
  return token ? JSON.stringify({ Authorization: `Bearer ${token}` }, null, 2) : undefined;
}

/** Whom a token names, unverified: its `sub`; null when it is no JWT. */
export function subjectOf(authorization) {
  try {
    const payload = atob(authorization.split('.')[1].replaceAll('-', '+').replaceAll('_', '/'));
    const utf8 = Uint8Array.from(payload, (character) => character.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(utf8)).sub ?? null;
  } catch {
    return null;
  }
}
