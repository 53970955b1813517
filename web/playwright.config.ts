import { defineConfig } from "@playwright/test";

const baseURL = process.env["KREISLAUF_URL"];
if (baseURL === undefined || baseURL === "") {
  throw new Error("KREISLAUF_URL is not set. Give the address of a running platform, for example KREISLAUF_URL=http://127.0.0.1:8080 npm run e2e, or use npm run e2e:dev for the stand-in server.");
}

// Debian's chromium; the flags are for a machine without a user session (--no-sandbox: root) and keep it from calling home.
const flags = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

export default defineConfig({
  testDir: "e2e",
  outputDir: "test-results/runs",
  workers: 1,
  // Far more than any step takes, so that a busy machine fails no test.
  timeout: 180_000,
  expect: { timeout: 30_000 },
  reporter: "list",
  use: {
    baseURL,
    locale: "de-DE",
    timezoneId: "Europe/Berlin",
    viewport: { width: 390, height: 844 },
    deviceScaleFactor: 2,
    hasTouch: true,
    reducedMotion: "reduce",
    launchOptions: { executablePath: process.env["KREISLAUF_CHROMIUM"] ?? "/usr/bin/chromium", args: flags },
  },
});
