import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";

/** What of public/ the app needs to start without network. */
const more = ["/favicon.svg", "/fahrer/app.webmanifest", "/fahrer/icon-192.png"];

/** Tells the service worker which files make the app, and by their digest which version that is. */
function precache(): Plugin {
  return {
    name: "precache",
    enforce: "post",
    generateBundle(_options, bundle) {
      const worker = Object.values(bundle).find((file) => file.type === "chunk" && file.name === "worker");
      if (worker?.type !== "chunk") throw new Error("the build has no worker");
      const digest = createHash("sha256").update(worker.code);
      const files = Object.values(bundle).filter((file) => file !== worker && !file.fileName.startsWith(".vite/"));
      if (!files.some((file) => file.fileName === "fahrer/index.html")) throw new Error("the build has no page for the worker to keep");
      for (const file of files) digest.update(file.type === "chunk" ? file.code : file.source);
      for (const path of more) digest.update(readFileSync(fileURLToPath(new URL(`public${path}`, import.meta.url))));
      const paths = [...files.map((file) => `/${file.fileName}`), ...more].sort();
      worker.code = `const FILES=${JSON.stringify(paths)},VERSION="${digest.digest("hex").slice(0, 16)}";${worker.code}`;
    },
  };
}

// The driver's app is built by itself, into the same folder after the customer's page: it starts without network from its own files alone, and
// customers load nothing of it. The policies are those of vite.config.ts.
export default defineConfig({
  plugins: [precache()],
  publicDir: false,
  build: {
    target: ["chrome123", "edge123", "firefox120", "safari17.5"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    emptyOutDir: false,
    manifest: ".vite/driver.json",
    rollupOptions: {
      input: { driver: fileURLToPath(new URL("fahrer/index.html", import.meta.url)), worker: fileURLToPath(new URL("src/driver/worker.ts", import.meta.url)) },
      output: { entryFileNames: (chunk) => (chunk.name === "worker" ? "fahrer/worker.js" : "assets/[name]-[hash].js") },
    },
  },
});
