// The service worker of the driver's app: it keeps the app's own files, so that the app starts without network. It never keeps an answer of the
// API. The build puts FILES (paths of the app's files) and VERSION (their digest) in front of it.

declare const FILES: string[];
declare const VERSION: string;

interface Extendable extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetching extends Extendable {
  request: Request;
  respondWith(answer: Promise<Response>): void;
}
const worker = self as unknown as {
  addEventListener(type: string, listener: (event: never) => void): void;
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
};

const page = "/fahrer/index.html";
const prefix = "kreislauf-driver-";
const cacheName = prefix + VERSION;

worker.addEventListener("install", (event: Extendable) => {
  const files = FILES.map((file) => new Request(file, { cache: "reload" }));
  event.waitUntil(caches.open(cacheName).then((cache) => cache.addAll(files)));
});

worker.addEventListener("activate", (event: Extendable) => {
  const older = async () => {
    for (const each of await caches.keys()) if (each.startsWith(prefix) && each !== cacheName) await caches.delete(each);
    await worker.clients.claim();
  };
  event.waitUntil(older());
});

// A new version waits until the driver asks for it: never in the middle of a job.
worker.addEventListener("message", (event: MessageEvent) => {
  if (event.data === "take-over") void worker.skipWaiting();
});

worker.addEventListener("fetch", (event: Fetching) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  const opens = request.mode === "navigate" && (pathname === "/fahrer" || pathname.startsWith("/fahrer/"));
  const path = opens ? page : pathname;
  if (!FILES.includes(path)) return;
  const kept = async () => (await (await caches.open(cacheName)).match(path)) ?? fetch(request);
  event.respondWith(kept());
});
