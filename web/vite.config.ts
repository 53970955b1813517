import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/**
 * A part of the site that is loaded later needs its style sheet first, and nothing else: Vite's own helper for that weighs 0.9 kB in
 * the customer's entry. The size gate notices if a new Vite does not ask for this module any more.
 */
function smallPreload(): Plugin {
  const helper = `export const __vitePreload = async (load, files = []) => {
    const sheets = files.filter((file) => file.endsWith(".css") && !document.querySelector('link[href="/' + file + '"]'));
    await Promise.all(sheets.map((file) => new Promise((done, fail) => {
      const link = document.createElement("link");
      Object.assign(link, { rel: "stylesheet", href: "/" + file, onload: done, onerror: () => (link.remove(), fail(Error(file))) });
      document.head.append(link);
    })));
    return load();
  };`;
  return { name: "small-preload", enforce: "pre", load: (id) => (id === "\0vite/preload-helper.js" ? helper : undefined) };
}

// The page runs under `script-src 'self'` and Trusted Types, so nothing may be inlined: no data: URLs, no preload polyfill.
// The targets are the first versions with light-dark(); older ones would make the build rewrite it.
export default defineConfig({
  plugins: [smallPreload()],
  build: {
    target: ["chrome123", "edge123", "firefox120", "safari17.5"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: true,
  },
  server: {
    host: "127.0.0.1",
    proxy: { "/api": process.env["KREISLAUF_URL"] ?? "http://127.0.0.1:8090" },
  },
  test: { include: ["test/**/*.test.ts"], environment: "node" },
});
