// The service worker of an off-line page: keeps the shell and its files, by version; never anybody's data.
const VERSION = {{ version | tojson }};
const NAME = {{ name | tojson }};
const CACHE = `${NAME}-${VERSION}`;
const PAGE = {{ page | tojson }};
const ASSETS = {{ assets | tojson }};
const kept = new Set(ASSETS);

async function keepShell() {
  // A sign-in page or another version's shell must not take its place; a redirect is no shell.
  const answer = await fetch(PAGE, { credentials: "same-origin", cache: "no-store", redirect: "manual" });
  if (answer.ok && answer.headers.get("X-Shell-Version") === VERSION) {
    const cache = await caches.open(CACHE);
    await cache.put(PAGE, answer);
  }
}

async function hasShell() {
  const cache = await caches.open(CACHE);
  return Boolean(await cache.match(PAGE));
}

// Browsers that can take files straight from the cache, without waking this worker, are told to: the page opens sooner.
function routes() {
  const source = { cacheName: CACHE };
  const files = ASSETS.map((pathname) => ({ condition: { urlPattern: new URLPattern({ pathname, baseURL: self.location.origin }) }, source }));
  const page = { condition: { requestMode: "navigate", urlPattern: new URLPattern({ pathname: PAGE, baseURL: self.location.origin }) }, source };
  return [page, ...files];
}

self.addEventListener("install", (event) => {
  if (event.addRoutes) event.waitUntil(event.addRoutes(routes()).catch(() => undefined));
  event.waitUntil((async () => {
    const cache = await caches.open(CACHE);
    await cache.addAll(ASSETS.map((address) => new Request(address, { cache: "reload" })));
    await keepShell();
    // A phone whose sign-in has just expired goes on with the former version and its shell.
    if (!(await hasShell())) throw new Error("no shell without a sign-in");
    await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    const names = await caches.keys();
    await Promise.all(names.filter((name) => name.startsWith(`${NAME}-`) && name !== CACHE).map((name) => caches.delete(name)));
    await self.clients.claim();
  })());
});

async function shell(event) {
  const cache = await caches.open(CACHE);
  const found = await cache.match(PAGE);
  return found ?? fetch(event.request);
}

async function asset(request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(request)) ?? fetch(request);
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== self.location.origin) return;
  if (request.mode === "navigate" && address.pathname === PAGE) event.respondWith(shell(event));
  else if (kept.has(address.pathname)) event.respondWith(asset(request));
});

// The page asks for a fresh shell each time it was opened with signal, and after the reader has chosen another language.
self.addEventListener("message", (event) => {
  if (event.data === "shell") event.waitUntil(keepShell().then(() => event.source.postMessage("shell")).catch(() => undefined));
});
