// Size gate: follows the static imports of each entry in Vite's manifest, compresses with gzip -9 and compares with the budgets.
// A part that is loaded later is counted with the entry that loads it: it is all that its visitor needs.
// Sizes are exact, so they may fail a build. Usage: npm run size (after npm run build).

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

// Bytes, gzip.
const entryBudget = { js: 25_000, css: 8_000 };
const laterBudgets = { "src/partner/partner-app.tsx": { js: 45_000, css: 10_000 } };

const dist = new URL("../dist/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", dist), "utf8"));
const gzipped = (file) => gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length;

let failed = false;
const entries = Object.entries(manifest).filter(([, chunk]) => chunk.isEntry);
for (const [name] of entries) check(name, entryBudget, [name]);
for (const [name, chunk] of Object.entries(manifest).filter(([, chunk]) => chunk.isDynamicEntry)) {
  const budgets = laterBudgets[name];
  if (budgets === undefined) throw new Error(`${chunk.file} is loaded later and has no budget; give ${name} one in build/size.mjs`);
  check(name, budgets, [...entries.map(([entry]) => entry), name]);
}
if (failed) process.exit(1);

function check(name, budgets, needed) {
  const chunks = new Set();
  const follow = (chunk) => {
    if (chunks.has(chunk)) return;
    chunks.add(chunk);
    for (const next of chunk.imports ?? []) follow(manifest[next]);
  };
  for (const each of needed) follow(manifest[each]);
  const files = { js: [...chunks].map((chunk) => chunk.file), css: [...new Set([...chunks].flatMap((chunk) => chunk.css ?? []))] };
  for (const [kind, budget] of Object.entries(budgets)) {
    const bytes = files[kind].reduce((sum, file) => sum + gzipped(file), 0);
    const verdict = bytes <= budget ? "ok" : "TOO LARGE";
    console.log(`${name} ${kind}: ${bytes} of ${budget} bytes gzip, ${verdict}`);
    failed ||= bytes > budget;
  }
}
