// PostGraphile 5 (Grafast) on the views and the function of postgraphile.sql. The viewer is an argument: settings would cost it
// a transaction.

import { createServer } from 'node:http';
import { grafserv } from 'postgraphile/grafserv/node';
import { postgraphile } from 'postgraphile';
import { makePgService } from 'postgraphile/adaptors/pg';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';

const POOL_SIZE = 10;

// Grafast asks for it, and Node has it from 22 on.
Promise.withResolvers ??= function withResolvers() {
  let resolve, reject;
  const promise = new Promise((one, other) => {
    resolve = one;
    reject = other;
  });
  return { promise, resolve, reject };
};

const instance = postgraphile({
  extends: [PostGraphileAmberPreset],
  pgServices: [
    makePgService({ connectionString: process.env.TIDINGS_DATABASE_URL, schemas: ['peer'], poolConfig: { max: POOL_SIZE } }),
  ],
  grafserv: { graphiql: false, watch: false },
});
const server = createServer();
await instance.createServ(grafserv).addTo(server);
server.listen(Number(process.env.PORT), '127.0.0.1');
