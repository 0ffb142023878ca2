import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useState } from 'react';
import { authorizationOf } from './fetcher.js';
import { login, subjectOf } from './person.js';

/** Whom the open tab's headers name: they can be edited, so the page's own person is only the usual case. */
function usePersonOfTab(person) {
  const headers = useGraphiQL((state) => state.tabs[state.activeTabIndex]?.headers ?? state.defaultHeaders);
  let authorization;
  try {
    authorization = authorizationOf(JSON.parse(headers || '{}'));
  } catch {
    return 'nobody (the headers are no JSON)';
  }
  if (!authorization) return null;
  if (authorization === `Bearer ${person.token}`) return person.username ?? subjectOf(authorization);
  return subjectOf(authorization) ?? 'the bearer of another token';
}

export function PersonBar({ person, devLogin, onSwitch }) {
  const { stop } = useGraphiQLActions();
  const [name, setName] = useState('');
  const [problem, setProblem] = useState(null);
  const signedInAs = usePersonOfTab(person);

  async function switchPerson(event) {
    event.preventDefault();
    setProblem(null);
    try {
      const next = await login(name.trim());
      stop(); // a running subscription belongs to whoever started it
      onSwitch(next);
    } catch (error) {
      setProblem(error.message);
    }
  }

  return (
    <div className="person-bar">
      <span className="person-name" title={signedInAs ?? undefined}>
        {signedInAs === null ? 'not signed in' : <>signed in as <b>{signedInAs}</b></>}
      </span>
      {devLogin && (
        <form onSubmit={switchPerson}>
          <input
            aria-label="Username to sign in as"
            placeholder="someone else…"
            value={name}
            onChange={(event) => setName(event.target.value)}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            size={14}
            required
            title={problem ?? 'Development only: an unknown name gets an account'}
            aria-invalid={problem !== null}
          />
          <button type="submit" disabled={!name.trim()}>Switch</button>
          {problem && <span className="person-problem" role="alert">{problem}</span>}
        </form>
      )}
    </div>
  );
}
