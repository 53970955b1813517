// Start of the page.

import { render } from "preact";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/order.css";
import "./styles/status.css";
import { App, reconnect } from "./app";
import { unreachableSince } from "./http";
import { startQuoting } from "./order/state";
import { startRouting } from "./route";
import { loadSession } from "./session";
import { startText } from "./text";

const root = document.getElementById("app");
if (root === null) throw new Error("index.html has no element #app");

startRouting();
startQuoting();
void loadSession();
addEventListener("online", reconnect);
addEventListener("offline", () => (unreachableSince.value ??= new Date()));
startText(() => render(<App />, root));
void import("./order/keeping").then(({ startKeeping }) => startKeeping(), () => undefined); // without it nothing is kept, and all else works
