// @ts-check
/** Reading without a connection, in this browser: the switch in the settings, and from when a page is that was kept.
 *
 * The service worker keeps pages while there is a store for them (`offline-worker.js`). Signing out removes it; who switched it on
 * finds it again after signing in, another person does not.
 */

import { all, icon, make } from "./dom.js";
import { component } from "./mount.js";
import { page, t } from "./page.js";
import { listen } from "./socket.js";
import { explain } from "./toasts.js";

const PAGES = "offline-pages";
const FILES = "offline-files";
const WANTED_BY = "offline-reading";

function isPossible() {
  return "serviceWorker" in navigator && "caches" in window;
}

function isWanted() {
  return page.me !== undefined && localStorage.getItem(WANTED_BY) === page.me.id;
}

async function turnOn() {
  await navigator.serviceWorker.register("/worker.js");
  await caches.open(PAGES);
}

async function turnOff() {
  await Promise.all([caches.delete(PAGES), caches.delete(FILES)]);
}

/** Let go of conversations that the list does not name any more: somebody left them, or was taken out. */
async function letGo() {
  const listed = new Set(all("a.conv[data-conversation]").map((link) => /** @type {HTMLAnchorElement} */ (link).pathname));
  if (!listed.size) return;
  const pages = await caches.open(PAGES);
  for (const request of await pages.keys()) {
    const { pathname } = new URL(request.url);
    if (pathname.includes("/c/") && !listed.has(pathname)) await pages.delete(request);
  }
}

/** What is kept is this reader's, or goes. */
export async function setUpOfflineReading() {
  if (!isPossible()) return;
  if (!page.offline_reading || !isWanted()) return turnOff();
  await turnOn();
  await letGo();
}

component("[data-offline-reading]", (box) => {
  const field = /** @type {HTMLInputElement} */ (box);
  field.disabled = !isPossible();
  field.checked = isWanted();
  field.addEventListener("change", () => {
    if (field.checked && page.me) localStorage.setItem(WANTED_BY, page.me.id);
    else localStorage.removeItem(WANTED_BY);
    (field.checked ? turnOn() : turnOff()).catch(explain);
  });
});

component("main[data-kept-at]", (main) => {
  const at = new Date(main.dataset.keptAt ?? "");
  const time = new Intl.DateTimeFormat(page.language, { weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(at);
  const note = make("p", { class: "banner", role: "status", "data-kept-note": true }, icon("clock"), make("span", {}, t("offline.kept", { time })));
  main.prepend(note);
  return listen("open", () => note.remove());
});
