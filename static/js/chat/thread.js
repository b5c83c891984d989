// @ts-check
/**
 * The panel beside the conversation: a thread has its own address and opens without leaving the page. Escape closes it, and
 * so does the way back of the browser, where it was opened from this page.
 */

import { request } from "../shell/api.js";
import { make, one } from "../shell/dom.js";
import { onEscape } from "../shell/layers.js";
import { component, scan } from "../shell/mount.js";
import { explain } from "../shell/toasts.js";
import { threadUrl } from "./model.js";

/** @type {Element | null} */
let opener = null;
/** the address below the panel that was closed last: a step forward opens it again */
let left = "";

/** @returns {HTMLElement | null} */
const thread = () => document.querySelector("[data-thread-panel]");

const here = () => location.pathname + location.search;

/** @param {string} address */
export async function openThread(address) {
  opener = document.activeElement?.closest(".message") ?? document.activeElement;
  const open = thread();
  const below = open ? open.dataset.below : here();
  if (!(await show(address, below))) return;
  // Both steps are marked as htmx marks its own, which tells when one of them is gone to.
  if (open) return history.replaceState(history.state, "", address);
  history.replaceState({ ...history.state, htmx: true }, "");
  history.pushState({ htmx: true }, "", address);
}

/**
 * @param {string} address
 * @param {string | undefined} below the address of the page without the panel, where that is one step back
 * @returns {Promise<boolean>} whether it stands there now
 */
async function show(address, below) {
  const holder = document.createElement("template");
  try {
    holder.innerHTML = await (await request("GET", address, { accept: "text/html", headers: { "HX-Request": "true" } })).text();
  } catch (error) {
    explain(error);
    return false;
  }
  const panel = one("#panel", holder.content);
  if (below) panel.dataset.below = below;
  one("#panel").replaceWith(panel);
  scan();
  /** @type {HTMLElement | null} */ (panel.querySelector("[data-text]"))?.focus();
  return true;
}

/** @returns {boolean} whether one was open */
function closeThread() {
  const open = thread();
  const back = open?.querySelector("[data-panel-close]");
  if (!open || !(back instanceof HTMLAnchorElement)) return false;
  if (open.dataset.below) {
    history.back();
  } else {
    history.replaceState(history.state, "", back.href);
    hide(open);
  }
  return true;
}

/** @param {HTMLElement} open */
function hide(open) {
  open.replaceWith(make("aside", { class: "panel", id: "panel", hidden: true }));
  scan();
  if (!(opener instanceof HTMLElement) || !opener.isConnected || opener === document.body) opener = one("#main");
  /** @type {HTMLElement} */ (opener).focus();
}

// A step back or forward between a page and its panel changes the panel alone.
document.addEventListener("htmx:before:history:restore", (event) => {
  const { path } = /** @type {CustomEvent} */ (event).detail;
  const open = thread();
  const stream = /** @type {HTMLElement | null} */ (document.querySelector("#main [data-stream]"));
  if (open && path === open.dataset.below) {
    event.preventDefault();
    left = path;
    hide(open);
  } else if (!open && stream?.dataset.conversation && path.startsWith(threadUrl(stream.dataset.conversation, "").slice(0, -1))) {
    event.preventDefault();
    show(path, left);
  }
});

component("#panel", (panel) => {
  const frame = one(".frame");
  const isOpen = !panel.hidden;
  frame.classList.toggle("frame--panel", isOpen);
  frame.dataset.panel = isOpen ? "open" : "";
  panel.querySelector("[data-panel-close]")?.addEventListener("click", (event) => {
    const { ctrlKey, metaKey, shiftKey } = /** @type {MouseEvent} */ (event);
    if (ctrlKey || metaKey || shiftKey) return;
    event.preventDefault();
    closeThread();
  });
});

onEscape(10, closeThread);
