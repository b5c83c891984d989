// @ts-check
/** Reading without a connection: the conversations that were opened last in this browser, for a day, where somebody wants that.
 *
 * The store of pages is the switch (`shell/offline-reading.js`): while there is none, nothing is kept. A page is always asked of the
 * server first; the kept one is shown where no answer comes, and says from when it is. Signing out, or somebody else, empties it.
 */

const PAGES = "offline-pages";
const FILES = "offline-files";
const MOST_PAGES = 20;
const MOST_FILES = 500;
const A_DAY = 86_400_000;
const KEPT_AT = "X-Kept-At";
const CONVERSATION = /^\/o\/[\w-]+\/c\/[\da-f-]{36}\/$/;
const HOME = /^\/(?:o\/[\w-]+\/)?$/;
const SIGNING = /^\/accounts\/(?:login|logout)\//;
const NEVER_CHANGES = /^\/static\/.+\.[\da-f]{12}\.\w+$/; // named by what is in it
const MAIN = /<main [^>]*\bid="main"/;
const OWNER = "/owner";

/** @returns {Promise<Cache | null>} null where nothing is to be kept */
async function keptPages() {
  return (await caches.has(PAGES)) ? caches.open(PAGES) : null;
}

/** @param {Cache} cache @param {number} most */
async function trim(cache, most) {
  const kept = (await cache.keys()).filter((request) => new URL(request.url).pathname !== OWNER);
  for (const oldest of kept.slice(0, Math.max(0, kept.length - most))) await cache.delete(oldest);
}

/** Whose pages these are: another person's go first. @param {Cache} pages @param {string} person */
async function belongTo(pages, person) {
  const owner = await pages.match(OWNER);
  if (owner && (await owner.text()) === person) return;
  for (const request of await pages.keys()) await pages.delete(request);
  await pages.put(OWNER, new Response(person));
}

/** Keep a page as it was drawn, the newest last. @param {Cache} pages @param {string} path @param {Response} response */
async function keep(pages, path, response) {
  const text = await response.text();
  const { me, socket, offline_reading: isAllowed } = JSON.parse(/ id="page-data"[^>]*>([^<]*)</.exec(text)?.[1] ?? "{}");
  if (!me || !socket || !isAllowed || !MAIN.test(text)) return; // a part of a page, or looked at as somebody else
  await belongTo(pages, me.id);
  const headers = new Headers(response.headers);
  headers.set(KEPT_AT, new Date().toISOString());
  await pages.delete(path);
  await pages.put(path, new Response(text, { headers }));
  await trim(pages, MOST_PAGES);
}

/** The kept page, which says from when it is; one from before yesterday is none. @param {Cache} pages @param {string} path */
async function kept(pages, path) {
  const found = await pages.match(path);
  const at = found?.headers.get(KEPT_AT) ?? "";
  if (!found || Date.now() - Date.parse(at) > A_DAY) {
    await pages.delete(path);
    return null;
  }
  const text = (await found.text()).replace(MAIN, `$& data-kept-at="${at}"`);
  return new Response(text, { headers: found.headers });
}

/** Where the conversation is that was opened last. @param {Cache} pages */
async function newest(pages) {
  for (const { url } of [...(await pages.keys())].reverse()) {
    const { pathname } = new URL(url);
    if (pathname !== OWNER && (await kept(pages, pathname))) return Response.redirect(url);
  }
  return null;
}

/** Ask the server, and what was kept where it does not answer. @param {any} event @param {string} path @param {boolean} isPlain */
async function page(event, path, isPlain) {
  const pages = await keptPages();
  if (!pages) return fetch(event.request);
  const isKept = isPlain && CONVERSATION.test(path);
  const isPart = isKept && event.request.mode !== "navigate";
  let response;
  try {
    // A part that is swapped in comes as the whole page, so that the page can be kept.
    response = await fetch(isPart ? path : event.request);
  } catch (error) {
    const found = CONVERSATION.test(path) ? await kept(pages, path) : await newest(pages);
    if (found) return found;
    throw error;
  }
  if (CONVERSATION.test(path) && (response.status === 403 || response.status === 404)) event.waitUntil(pages.delete(path));
  if (isKept && response.ok && !response.redirected) event.waitUntil(keep(pages, path, response.clone()));
  else if (isPart) return fetch(event.request); // refused, or led to the sign-in: a part is told so in its own way
  return response;
}

/** @param {any} event */
async function file(event) {
  if (!(await keptPages())) return fetch(event.request);
  const files = await caches.open(FILES);
  const found = await files.match(event.request.url);
  if (found) return found;
  const response = await fetch(event.request);
  if (response.ok) event.waitUntil(files.put(event.request.url, response.clone()).then(() => trim(files, MOST_FILES)));
  return response;
}

async function forget() {
  await caches.delete(PAGES);
  await caches.delete(FILES);
}

self.addEventListener("fetch", (/** @type {any} */ event) => {
  const { request } = event;
  const { origin, pathname, search } = new URL(request.url);
  if (origin !== location.origin) return;
  const isPage = request.method === "GET" && (request.mode === "navigate" || request.headers.has("HX-Request"));
  if (isPage && (CONVERSATION.test(pathname) || HOME.test(pathname))) event.respondWith(page(event, pathname, !search));
  else if (request.method === "GET" && NEVER_CHANGES.test(pathname)) event.respondWith(file(event));
  else if (SIGNING.test(pathname)) event.waitUntil(forget());
});
