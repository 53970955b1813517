// Development aid, never deployed: a stand-in for nginx and the services behind the customer page. It keeps everything in memory,
// follows "Contract: HTTP" of docs/architecture.md with problem answers, and serves dist with the strict headers of production.
//   npm run dev-api            listens on 127.0.0.1:8090 (PORT)
// Postcodes starting with 00 are unknown. An order is matched after DEV_MATCH_MS (1500); with a postcode 99xxx never.

import { createHash, createHmac, randomBytes } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { catalog, permitNet, priceOf, town } from "./catalog.mjs";

const dist = fileURLToPath(new URL("../dist/", import.meta.url));
const types = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".json": "application/json" };
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; " +
  "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

const titles = {
  malformed: [400, "The request cannot be read"],
  unauthenticated: [401, "Sign in first"],
  forbidden: [403, "Not allowed"],
  "not-found": [404, "Not found"],
  conflict: [409, "Conflict with the present state"],
  invalid: [422, "The request breaks a rule"],
};

class Problem extends Error {
  constructor(kind, detail, errors) {
    super(detail);
    Object.assign(this, { kind, detail, errors });
  }
}

const invalid = (pointer, detail) => new Problem("invalid", detail, [{ pointer, detail }]);
const id = () => randomBytes(12).toString("hex");
const quoteKey = randomBytes(32);
const sign = (text) => createHmac("sha256", quoteKey).update(text).digest("base64url");

/** Starts the server; port 0 takes a free one. Gives its address and a function that stops it. */
export function start({ port = 0, matchMs = 1500 } = {}) {
  const state = { users: new Map(), sessions: new Map(), orders: new Map(), replies: new Map(), events: [], matchMs };
  const server = createServer((request, response) => {
    handle(state, request, response).catch((error) => {
      console.error(error);
      response.destroy();
    });
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      const close = () => new Promise((done) => (server.close(done), server.closeAllConnections()));
      resolve({ url: `http://127.0.0.1:${server.address().port}`, events: state.events, close });
    });
  });
}

async function handle(state, request, response) {
  const url = new URL(request.url, "http://127.0.0.1");
  if (!url.pathname.startsWith("/api/")) return serveFile(url.pathname, request, response);
  const trace = randomBytes(16).toString("hex");
  try {
    const answer = await api(state, request, url);
    response.writeHead(answer.status, { "Content-Type": "application/json", "Cache-Control": "no-store", ...answer.headers });
    response.end(answer.body === undefined ? "" : JSON.stringify(answer.body));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const [status, title] = titles[error.kind];
    const body = { type: `/problems/${error.kind}`, title, status, detail: error.detail, instance: url.pathname, trace_id: trace, errors: error.errors };
    response.writeHead(status, { "Content-Type": "application/problem+json", "Cache-Control": "no-store" });
    response.end(JSON.stringify(body));
  }
}

async function api(state, request, url) {
  const cookies = new Map((request.headers.cookie ?? "").split("; ").map((pair) => pair.split(/=(.*)/s).slice(0, 2)));
  const session = state.sessions.get(cookies.get("kreislauf_session"));
  const route = `${request.method} ${url.pathname}`;
  const orderId = /^GET \/api\/order\/v1\/orders\/([^/]+)$/.exec(route)?.[1];
  if (route === "GET /api/pricing/v1/catalog") return { status: 200, body: catalogOf(url.searchParams.get("postcode") ?? "") };
  if (route === "GET /api/pricing/v1/quotes") return { status: 200, body: quote(url.searchParams) };
  if (route === "GET /api/identity/v1/sessions/current") return { status: 200, body: publicUser(signedIn(session)) };
  if (route === "GET /api/order/v1/orders") return { status: 200, body: { orders: [...state.orders.values()].filter((o) => o.owner === signedIn(session).email).map(publicOrder) } };
  if (route === "GET /api/payment/v1/invoices") return { status: 200, body: noInvoices(signedIn(session)) };
  if (orderId !== undefined) return { status: 200, body: publicOrder(ownOrder(state, signedIn(session), orderId)) };

  if (session !== undefined && request.headers["x-csrf-token"] !== session.csrf) throw new Problem("forbidden", "The CSRF token is missing or wrong. Reload the page.");
  if (route === "DELETE /api/identity/v1/sessions/current") {
    signedIn(session);
    state.sessions.delete(cookies.get("kreislauf_session"));
    return { status: 204, headers: { "Set-Cookie": ["kreislauf_session=; Path=/; Max-Age=0", "kreislauf_csrf=; Path=/; Max-Age=0"] } };
  }
  const body = await readBody(request);
  const cancelled = /^POST \/api\/order\/v1\/orders\/([^/]+)\/cancel$/.exec(route)?.[1];
  if (cancelled !== undefined) {
    const order = ownOrder(state, signedIn(session), cancelled);
    order.cancellation ??= { by: "customer", reason: body.reason };
    order.cancelledAt ??= Date.now();
    return { status: 200, body: publicOrder(order) };
  }
  if (route === "POST /api/statistics/v1/events") {
    state.events.push(body);
    return { status: 202, body: { id: body.id ?? id() } };
  }
  const creators = {
    "POST /api/identity/v1/users": () => signUp(state, body),
    "POST /api/identity/v1/sessions": () => signIn(state, body),
    "POST /api/order/v1/orders": () => placeOrder(state, signedIn(session), body),
  };
  const create = creators[route];
  if (create === undefined) throw new Problem("not-found", "There is no such route.");
  return once(state, request, route, body, create);
}

/** The same key with the same body answers as the first time. */
function once(state, request, route, body, create) {
  const key = request.headers["idempotency-key"] ?? "";
  if (!/^[A-Za-z0-9_-]{8,64}$/.test(key)) throw new Problem("malformed", "Send an Idempotency-Key of 8 to 64 characters.");
  const hash = createHash("sha256").update(JSON.stringify(body)).digest("hex");
  const known = state.replies.get(`${route} ${key}`);
  if (known !== undefined && known.hash !== hash) throw new Problem("invalid", "This Idempotency-Key was used with another body.");
  if (known !== undefined) return { ...known.answer, headers: { ...known.answer.headers, "Idempotency-Replayed": "true" } };
  const answer = create();
  state.replies.set(`${route} ${key}`, { hash, answer });
  return answer;
}

async function readBody(request) {
  let text = "";
  for await (const chunk of request) text += chunk;
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem("malformed", "The body is not JSON.");
  }
}

function signUp(state, { email, password, name }) {
  if (!/^\S+@\S+\.\S+$/.test(email ?? "")) throw invalid("/email", "The email address is not complete.");
  if ((password ?? "").length < 10) throw invalid("/password", "10 characters or more are needed, and at most 256 bytes");
  if ((name ?? "").trim() === "") throw invalid("/name", "The name is empty.");
  if (state.users.has(email)) throw new Problem("conflict", "There is an account for this email address. Sign in.");
  const user = { user_id: id(), email, name, role: "customer", password };
  state.users.set(email, user);
  return { status: 201, body: publicUser(user), headers: cookiesFor(state, user) };
}

function signIn(state, { email, password }) {
  const user = state.users.get(email);
  if (user === undefined || user.password !== password) throw new Problem("unauthenticated", "Email or password is wrong.");
  return { status: 201, body: publicUser(user), headers: cookiesFor(state, user) };
}

function cookiesFor(state, user) {
  const [token, csrf] = [id(), id()];
  state.sessions.set(token, { user, csrf });
  return { "Set-Cookie": [`kreislauf_session=${token}; Path=/; HttpOnly; SameSite=Lax`, `kreislauf_csrf=${csrf}; Path=/; SameSite=Lax`] };
}

function signedIn(session) {
  if (session === undefined) throw new Problem("unauthenticated", "Sign in, then repeat the request.");
  return session.user;
}

/** No order is ever weighed here, so nobody has an invoice. */
const noInvoices = (_user) => ({ invoices: [] });

const publicUser = ({ user_id, email, name, role }) => ({ user_id, email, name, role });

function catalogOf(postcode) {
  if (postcode.startsWith("00")) throw invalid("?postcode", `The postcode ${postcode} is unknown.`);
  return catalog(postcode);
}

function quote(search) {
  const postcode = search.get("postcode") ?? "";
  const [code, size, date] = [search.get("waste"), Number(search.get("size")), search.get("date") ?? ""];
  const offered = catalog(postcode);
  if (!/^\d{5}$/.test(postcode)) throw invalid("?postcode", "A postcode has five digits.");
  if (postcode.startsWith("00")) throw invalid("?postcode", `The postcode ${postcode} is unknown.`);
  const waste = offered.wastes.find((each) => each.code === code);
  if (waste === undefined) throw invalid("?waste", "The waste code is not in the catalogue.");
  if (!waste.sizes_m3.includes(size)) throw invalid("?size", `This waste comes in ${waste.sizes_m3.join(", ")} m³ only.`);
  if (date < offered.earliest_date || date > offered.latest_date) throw invalid("?date", `Choose a date from ${offered.earliest_date} to ${offered.latest_date}.`);
  const closed = offered.closed_dates.find((each) => each.date === date);
  if (closed !== undefined) throw invalid("?date", `${date} is closed (${closed.reason}). Choose another date.`);
  const permit = search.get("permit") === "true";
  const price = priceOf(code, size, permit);
  const lines = [{ kind: "service", net_cents: 11900 }, { kind: "disposal", net_cents: price.net_cents - 11900 - (permit ? permitNet : 0) }];
  const content = {
    tariff: waste.tariff, tariff_version: "dev", included_kg: size * 200, extra_tonne_cents: waste.extra_tonne_cents, failed_trip_cents: 6545,
    ...(permit ? { permit_cents: 6800, lines: [...lines, { kind: "permit", net_cents: permitNet }] } : { lines }),
    postcode, region: postcode.startsWith("1") ? "Berlin" : "Deutschland", waste_code: code, size_m3: size, date, price,
    included_days: offered.included_days, extra_day_cents: 357, max_weight_kg: Math.min(7000, size * 1000), valid_until: new Date(Date.now() + 30 * 60_000).toISOString(),
  };
  const text = Buffer.from(JSON.stringify(content)).toString("base64url");
  return { quote: `${text}.${sign(text)}`, ...content };
}

function placeOrder(state, user, { quote: token, address, public_ground, window }) {
  const [text, signature] = (token ?? "").split(".");
  if (signature !== sign(text)) throw invalid("/quote", "The quote is not ours. Ask for a new one.");
  const content = JSON.parse(Buffer.from(text, "base64url").toString());
  if (Date.parse(content.valid_until) < Date.now()) throw invalid("/quote", "The quote has expired. Ask for a new one.");
  for (const member of ["name", "street", "city"]) {
    if ((address?.[member] ?? "").trim() === "") throw invalid(`/address/${member}`, "This part of the address is empty.");
  }
  if (!/\d/.test(address.street)) throw invalid("/address/street", "The street needs a house number.");
  const { waste_code, size_m3, date, postcode, price } = content;
  if (address.city !== town(postcode)) throw invalid("/address/city", `${postcode} is not the postcode of this town; it belongs to ${town(postcode)}`);
  const placed = { order_id: `o-${id()}`, owner: user.email, waste_code, size_m3, date, postcode, address, price, public_ground, ...(window === undefined || window === "any" ? {} : { window }), at: Date.now(), matchAt: postcode.startsWith("99") ? Infinity : Date.now() + state.matchMs };
  state.orders.set(placed.order_id, placed);
  return { status: 201, body: publicOrder(placed), headers: { Location: `/api/order/v1/orders/${placed.order_id}` } };
}

function ownOrder(state, user, orderId) {
  const found = state.orders.get(orderId);
  if (found?.owner !== user.email) throw new Problem("not-found", "There is no such order of yours.");
  return found;
}

function publicOrder({ owner: _owner, at, matchAt, cancelledAt, public_ground: _ground, ...order }) {
  const matched = (cancelledAt ?? Date.now()) >= matchAt;
  const history = [{ state: "placed", at: new Date(at).toISOString() }];
  if (matched) history.push({ state: "matched", at: new Date(matchAt).toISOString() });
  if (cancelledAt !== undefined) history.push({ state: "cancelled", at: new Date(cancelledAt).toISOString() });
  return { ...order, state: history.at(-1).state, ...(matched ? { partner_id: "partner-1" } : {}), history };
}

function serveFile(path, request, response) {
  const wanted = join(dist, normalize(path));
  const found = extname(path) !== "" && wanted.startsWith(dist) && existsSync(wanted) && statSync(wanted).isFile();
  if (!found && extname(path) !== "") return void response.writeHead(404).end();
  const file = found ? wanted : join(dist, "index.html");
  const zipped = (request.headers["accept-encoding"] ?? "").includes("gzip") && existsSync(`${file}.gz`);
  response.writeHead(200, {
    "Content-Type": types[extname(file)] ?? "application/octet-stream",
    "Cache-Control": file.includes("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
    "Content-Security-Policy": policy,
    "X-Content-Type-Options": "nosniff",
    ...(zipped ? { "Content-Encoding": "gzip" } : {}),
  });
  response.end(readFileSync(zipped ? `${file}.gz` : file));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url } = await start({ port: Number(process.env.PORT ?? 8090), matchMs: Number(process.env.DEV_MATCH_MS ?? 1500) });
  console.log(`stand-in platform on ${url}`);
}
