// Development aid: runs the Playwright journeys against the stand-in server. Arguments go to Playwright: npm run e2e:dev -- --grep keyboard

import { spawn } from "node:child_process";
import { start } from "./server.mjs";

const platform = await start({ matchMs: 1500 });
const run = spawn("npx", ["playwright", "test", ...process.argv.slice(2)], { stdio: "inherit", env: { ...process.env, KREISLAUF_URL: platform.url } });
run.on("exit", async (code) => {
  await platform.close();
  process.exitCode = code ?? 1;
});
