// Fails when a built file names a public CDN: what we serve must work without any other server.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const CDN = /https?:\/\/[\w.-]*\b(unpkg\.com|jsdelivr\.net|cdnjs\.cloudflare\.com|esm\.(sh|run)|skypack\.dev|jspm\.(dev|io)|googleapis\.com|gstatic\.com|bootstrapcdn\.com)/g;
const [folder] = process.argv.slice(2);
let bytes = 0;
let bad = 0;

for (const name of readdirSync(folder, { recursive: true })) {
  const path = join(folder, name);
  if (statSync(path).isDirectory()) continue;
  bytes += statSync(path).size;
  for (const [address] of readFileSync(path, 'latin1').matchAll(CDN)) {
    console.error(`${path}: ${address}`);
    bad += 1;
  }
}
console.log(`${folder}: ${(bytes / 1e6).toFixed(1)} MB, ${bad} CDN addresses`);
process.exitCode = bad ? 1 : 0;
