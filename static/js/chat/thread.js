// @ts-check
/** The panel beside the conversation: a thread has its own address, opens without leaving the page, Escape closes it. */

import { request } from "../shell/api.js";
import { make, one } from "../shell/dom.js";
import { onEscape } from "../shell/layers.js";
import { component, scan } from "../shell/mount.js";
import { explain } from "../shell/toasts.js";

/** @type {Element | null} */
let opener = null;

/** @param {string} address */
export async function openThread(address) {
  opener = document.activeElement?.closest(".message") ?? document.activeElement;
  const holder = document.createElement("template");
  try {
    holder.innerHTML = await (await request("GET", address, { accept: "text/html", headers: { "HX-Request": "true" } })).text();
  } catch (error) {
    explain(error);
    return;
  }
  one("#panel").replaceWith(one("#panel", holder.content));
  history.replaceState(history.state, "", address);
  scan();
  /** @type {HTMLElement | null} */ (document.querySelector("#panel [data-text]"))?.focus();
}

function closeThread() {
  const panel = document.querySelector("[data-thread-panel]");
  if (!panel) return false;
  const back = panel.querySelector("[data-panel-close]");
  panel.replaceWith(make("aside", { class: "panel", id: "panel", hidden: true }));
  if (back instanceof HTMLAnchorElement) history.replaceState(history.state, "", back.href);
  scan();
  if (!(opener instanceof HTMLElement) || !opener.isConnected || opener === document.body) opener = one("#main");
  /** @type {HTMLElement} */ (opener).focus();
  return true;
}

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
