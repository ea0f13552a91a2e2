/**
 * The service worker: the page's own files, one version at a time, by the digests that the server names.
 *
 * A version is kept as a whole or not at all. What the page asks of the service is never answered from here.
 */

importScripts("/kiosk/contents.js");

const PREFIX = "kiosk-";
const { version, files } = self.CONTENTS;
const NAME = PREFIX + version;
const LIST = "/kiosk/contents.js";

addEventListener("install", (event) => event.waitUntil(install()));
addEventListener("activate", (event) => event.waitUntil(activate()));
addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  const ours = origin === location.origin && event.request.method === "GET" && (pathname in files || pathname === LIST);
  if (ours) event.respondWith(kept(pathname, event.request));
});

async function install() {
  const cache = await caches.open(NAME);
  await Promise.all(Object.entries(files).map(async ([address, integrity]) => {
    const answer = await fetch(address, { cache: "no-cache", integrity });
    if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
    await cache.put(address, answer);
  }));
  const list = new Response(`self.CONTENTS = ${JSON.stringify(self.CONTENTS)};`, { headers: { "Content-Type": "text/javascript" } });
  await cache.put(LIST, list);
  await skipWaiting();
}

async function activate() {
  for (const name of await caches.keys()) if (name.startsWith(PREFIX) && name !== NAME) await caches.delete(name);
  await clients.claim();
}

async function kept(address, request) {
  const cache = await caches.open(NAME);
  return (await cache.match(address)) ?? fetch(request);
}
