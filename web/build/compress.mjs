// Writes a .gz beside every text file of dist, for nginx's gzip_static. Runs after vite build.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const dist = fileURLToPath(new URL("../dist/", import.meta.url));
for (const file of readdirSync(dist, { recursive: true })) {
  if (/^[^.].*\.(html|js|css|svg|webmanifest)$/.test(file)) {
    const path = join(dist, file);
    writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
  }
}
