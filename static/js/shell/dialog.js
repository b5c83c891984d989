// @ts-check
/** One dialog for forms that are also pages: a link with `hx-target="#dialog"` brings the form, saving leaves or shows errors. */

import { make, icon, one, spoken } from "./dom.js";
import { t } from "./page.js";
import { scan } from "./mount.js";

const dialog = () => /** @type {HTMLDialogElement} */ (one("#dialog"));
const FIRST = ["[autofocus], [aria-invalid=true]", "input:not([type=hidden]), textarea, select"];
/** @type {Element | null} */
let shown = null;

/** @param {string} title @param {...Node} content */
export function showDialog(title, ...content) {
  const element = dialog();
  const close = make("button", { class: "btn btn--quiet btn--icon", type: "button", "data-dialog-close": true }, icon("close"), spoken(t("close")));
  element.replaceChildren(
    make("div", { class: "dialog__head" }, make("h2", { id: "dialog-title" }, title), close),
    make("div", { class: "dialog__body" }, ...content),
  );
  shown = element.firstElementChild;
  scan();
  if (!element.open) element.showModal();
}

export function closeDialog() {
  if (dialog().open) dialog().close();
}

export function setUpDialog() {
  const element = document.getElementById("dialog");
  if (!(element instanceof HTMLDialogElement)) return;
  document.addEventListener("htmx:after:swap", () => {
    if (!element.childElementCount || element.firstElementChild === shown) return;
    shown = element.firstElementChild;
    if (!element.open) element.showModal();
    else if (element.contains(document.activeElement)) return;
    // What was pressed may be gone: the form of a chosen kind, or one that came back with what is wrong.
    const first = FIRST.map((part) => /** @type {HTMLElement | null} */ (element.querySelector(part))).find(Boolean);
    first?.focus();
  });
  element.addEventListener("close", () => element.replaceChildren());
  element.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    if (event.target === element || event.target.closest("[data-dialog-close]")) {
      event.preventDefault();
      element.close();
    }
  });
}
