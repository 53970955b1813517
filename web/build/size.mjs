// Size gate: follows the static imports of each entry in Vite's manifest, compresses with gzip -9 and compares with the budgets.
// Sizes are exact, so they may fail a build. Usage: npm run size (after npm run build).

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const budgets = { js: 25_000, css: 8_000 }; // bytes, gzip

const dist = new URL("../dist/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", dist), "utf8"));
const gzipped = (file) => gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length;

let failed = false;
for (const [name, entry] of Object.entries(manifest).filter(([, chunk]) => chunk.isEntry)) {
  const chunks = new Set();
  const follow = (chunk) => {
    if (chunks.has(chunk)) return;
    chunks.add(chunk);
    for (const next of chunk.imports ?? []) follow(manifest[next]);
  };
  follow(entry);
  const files = { js: [...chunks].map((chunk) => chunk.file), css: [...new Set([...chunks].flatMap((chunk) => chunk.css ?? []))] };
  for (const [kind, budget] of Object.entries(budgets)) {
    const bytes = files[kind].reduce((sum, file) => sum + gzipped(file), 0);
    const verdict = bytes <= budget ? "ok" : "TOO LARGE";
    console.log(`${name} ${kind}: ${bytes} of ${budget} bytes gzip, ${verdict}`);
    failed ||= bytes > budget;
  }
}
if (failed) process.exit(1);
