// @ts-check
/** The entry of the ask page: follow the answer, open a source beside it, come back to the number it was opened from. */

import "./shell/following.js";
import "./viewer.js";
import { request } from "./shell/api.js";
import { copy } from "./shell/clipboard.js";
import { setUpConnection } from "./shell/connection.js";
import { all, make, one } from "./shell/dom.js";
import { onEscape } from "./shell/layers.js";
import { component, scan } from "./shell/mount.js";
import { t } from "./shell/page.js";
import { explain, toast } from "./shell/toasts.js";

/** @type {HTMLElement | null} */
let opener = null;

/** @param {string} address */
async function openSource(address) {
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
  one(".viewer").focus({ preventScroll: true });
}

function closeSource() {
  const panel = document.querySelector("[data-source-panel]");
  const back = panel?.querySelector("[data-panel-close]");
  if (!panel || !(back instanceof HTMLAnchorElement)) return false;
  panel.replaceWith(make("aside", { class: "panel", id: "panel", hidden: true }));
  history.replaceState(history.state, "", back.href);
  scan();
  if (opener?.isConnected) opener.focus();
  return true;
}

component("#panel", (panel) => {
  const frame = one(".frame");
  const isOpen = !panel.hidden;
  frame.classList.toggle("frame--panel", isOpen);
  frame.classList.toggle("frame--panel-wide", isOpen);
  frame.dataset.panel = isOpen ? "open" : "";
  const number = panel.dataset.sourcePanel;
  for (const link of all("[data-source]")) {
    if (number && link.dataset.source === number) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
});

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (!target || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const link = target.closest("a[data-source], a[data-in-panel], a[data-panel-close]");
  if (!(link instanceof HTMLAnchorElement)) return;
  event.preventDefault();
  if (link.matches("[data-panel-close]")) closeSource();
  else {
    if (link.matches("[data-source]")) opener = link;
    openSource(link.href);
  }
});

component("[data-copy-link]", (button) => {
  button.addEventListener("click", async () => {
    if (await copy(location.href)) toast(t("ask.copied"));
  });
});

component("[data-ask] textarea", (field) => {
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || matchMedia("(pointer: coarse)").matches) return;
    event.preventDefault();
    if (field instanceof HTMLTextAreaElement) field.form?.requestSubmit();
  });
});

onEscape(10, closeSource);
setUpConnection();
