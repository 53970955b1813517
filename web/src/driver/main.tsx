// Start of the driver's app.

import { render } from "preact";
import "../styles/tokens.css";
import "../styles/base.css";
import "./driver.css";
import { App } from "./app";
import { register } from "./register";
import { start } from "./state";
import { startRouting } from "../route";

const root = document.getElementById("app");
if (root === null) throw new Error("the page has no element #app");

startRouting();
render(<App />, root);
void start();
void register().catch(() => undefined); // without the worker the app still works with a network
