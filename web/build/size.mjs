// Size gate: follows the static imports of each entry in Vite's manifest, compresses with gzip -9 and compares with the budgets.
// A chunk that is loaded later counts with what it brings beside the first load, and needs a row of its own.
// Sizes are exact, so they may fail a build. Usage: npm run size (after npm run build).

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const first = { js: 25_000, css: 8_000 }; // bytes, gzip
const later = { "src/account/pages.tsx": { js: 15_000, css: 4_000 }, "src/partner/partner-app.tsx": { js: 20_000, css: 4_000 }, "src/office/office-app.tsx": { js: 45_000, css: 4_000 } };

const dist = new URL("../dist/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", dist), "utf8"));
const gzipped = (file) => gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length;

/** The chunk and all it imports at once. */
function withImports(chunk, chunks = new Set()) {
  if (chunks.has(chunk)) return chunks;
  chunks.add(chunk);
  for (const next of chunk.imports ?? []) withImports(manifest[next], chunks);
  return chunks;
}

let failed = false;
function compare(name, chunks, budgets) {
  if (budgets === undefined) throw new Error(`${name} has no row in build/size.mjs`);
  const files = { js: chunks.map((chunk) => chunk.file), css: [...new Set(chunks.flatMap((chunk) => chunk.css ?? []))] };
  for (const [kind, budget] of Object.entries(budgets)) {
    const bytes = files[kind].reduce((sum, file) => sum + gzipped(file), 0);
    const verdict = bytes <= budget ? "ok" : "TOO LARGE";
    console.log(`${name} ${kind}: ${bytes} of ${budget} bytes gzip, ${verdict}`);
    failed ||= bytes > budget;
  }
}

const there = new Set();
for (const [name, entry] of Object.entries(manifest).filter(([, chunk]) => chunk.isEntry)) {
  const chunks = withImports(entry);
  for (const chunk of chunks) there.add(chunk);
  compare(name, [...chunks], first);
}
for (const [name, entry] of Object.entries(manifest).filter(([, chunk]) => chunk.isDynamicEntry)) {
  compare(name, [...withImports(entry)].filter((chunk) => !there.has(chunk)), later[name]);
}
if (failed) process.exit(1);
