import { defineConfig } from "vitest/config";

// The page runs under `script-src 'self'` and Trusted Types, so nothing may be inlined: no data: URLs, no preload polyfill.
// The targets are the first versions with light-dark(); older ones would make the build rewrite it.
export default defineConfig({
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
