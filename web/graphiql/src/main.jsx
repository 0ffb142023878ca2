import './workers.js';
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import 'graphiql/graphiql.css';
import './page.css';
import { GraphiQL } from 'graphiql';
import { useState } from 'react';
import { createRoot } from 'react-dom/client';
import { EXAMPLES } from './examples.js';
import { createFetcher } from './fetcher.js';
import { headersFor, initialPerson } from './person.js';
import { PersonBar } from './PersonBar.jsx';
import { storage } from './storage.js';

/** Written by the server: { endpoint, token, username, devLogin, examples } */
const config = JSON.parse(document.getElementById('tidings-config').textContent);
const fetcher = createFetcher(config.endpoint);

function Page({ firstPerson }) {
  const [person, setPerson] = useState(firstPerson);
  return (
    <GraphiQL
      // Another person is another page: GraphiQL reads its headers only once, and results belong to whoever asked.
      key={person.token}
      fetcher={fetcher}
      storage={storage}
      defaultHeaders={headersFor(person)}
      defaultTabs={config.examples ? EXAMPLES : undefined}
      defaultEditorToolsVisibility="variables"
      shouldPersistHeaders={false}
      schemaDescription
      inputValueDeprecation
    >
      <GraphiQL.Logo>
        <PersonBar person={person} devLogin={config.devLogin} onSwitch={setPerson} />
        <span className="wordmark">Tidings</span>
      </GraphiQL.Logo>
    </GraphiQL>
  );
}

createRoot(document.getElementById('graphiql')).render(<Page firstPerson={await initialPerson(config)} />);
