// @ts-check
/** A source of an answer beside its conversation. A thread stays open below it; Escape goes back to the number. */

import "../viewer.js";
import { request } from "../shell/api.js";
import { all, one } from "../shell/dom.js";
import { onEscape } from "../shell/layers.js";
import { component, scan } from "../shell/mount.js";
import { explain } from "../shell/toasts.js";

/** @type {HTMLElement | null} */
let opener = null;

const panel = () => document.querySelector("[data-source-panel]");

/** @param {string} address */
async function open(address) {
  const holder = document.createElement("template");
  try {
    holder.innerHTML = await (await request("GET", address, { accept: "text/html", headers: { "HX-Request": "true" } })).text();
  } catch (error) {
    explain(error);
    return;
  }
  const found = one("[data-source-panel]", holder.content);
  found.id = "source-panel";
  panel()?.remove();
  one("#panel").after(found);
  show(found.dataset.sourcePanel ?? "");
  one(".viewer", found).focus({ preventScroll: true });
}

function close() {
  if (!leave()) return false;
  if (opener?.isConnected) opener.focus();
  return true;
}

function leave() {
  const found = panel();
  if (!found) return false;
  found.remove();
  show("");
  return true;
}

/** What is open, and which number it belongs to. @param {string} number */
function show(number) {
  const thread = one("#panel");
  const isThread = "threadPanel" in thread.dataset;
  thread.hidden = number !== "" || !isThread;
  const frame = one(".frame");
  frame.classList.toggle("frame--panel", number !== "" || isThread);
  frame.classList.toggle("frame--panel-wide", number !== "");
  frame.dataset.panel = number !== "" || isThread ? "open" : "";
  const answer = opener?.closest(".answer");
  for (const link of all(".answer [data-source]")) {
    if (number && link.dataset.source === number && answer?.contains(link)) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  scan();
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (!target || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const link = target.closest(".message [data-source], [data-source-panel] [data-in-panel], [data-source-panel] [data-panel-close]");
  if (!(link instanceof HTMLAnchorElement)) return;
  event.preventDefault();
  if (link.matches("[data-panel-close]")) close();
  else {
    if (link.matches("[data-source]")) opener = link;
    open(link.href);
  }
});

// A thread that is opened takes the place of the source.
component("[data-thread-panel]", () => void leave());
onEscape(15, close);
