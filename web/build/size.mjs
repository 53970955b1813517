// Size gate: follows the static imports of each entry in Vite's manifest, compresses with gzip -9 and compares with the budgets.
// A chunk that is loaded later counts with what it brings beside the first load, and needs a row of its own.
// Sizes are exact, so they may fail a build. Usage: npm run size (after npm run build).

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const first = { js: 25_000, css: 8_000 }; // bytes, gzip
const later = { "src/access/access-app.tsx": { js: 15_000, css: 4_000 }, "src/account/pages.tsx": { js: 17_000, css: 4_000 }, "src/ui/sign-in-dialog.tsx": { js: 2_000, css: 0 }, "src/text/en.ts": { js: 4_000, css: 0 }, "src/order/later.ts": { js: 7_000, css: 1_000 }, "src/order/keeping.ts": { js: 3_500, css: 0 }, "src/sites/sites-app.tsx": { js: 17_000, css: 4_000 }, "src/partner/partner-app.tsx": { js: 20_000, css: 4_000 }, "src/partner/planning.tsx": { js: 30_000, css: 4_000 }, "src/office/office-app.tsx": { js: 45_000, css: 4_000 } }; // the last with partner-app.tsx, which loads it
// The driver's app is a page of its own; its worker is loaded beside it.
const driver = { "fahrer/index.html": { js: 35_000, css: 8_000 }, "src/driver/worker.ts": { js: 1_500 } };

const dist = new URL("../dist/", import.meta.url);
const read = (name) => JSON.parse(readFileSync(new URL(`.vite/${name}.json`, dist), "utf8"));
let manifest = read("manifest");
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
manifest = read("driver");
for (const [name, entry] of Object.entries(manifest).filter(([, chunk]) => chunk.isEntry)) compare(name, [...withImports(entry)], driver[name]);
if (failed) process.exit(1);
