// @ts-check
/** One dialog for forms that are also pages: a link with `hx-target="#dialog"` brings the form, saving leaves or shows errors. */

import { make, icon, one, spoken } from "./dom.js";
import { t } from "./page.js";
import { scan } from "./mount.js";

const dialog = () => /** @type {HTMLDialogElement} */ (one("#dialog"));

/** @param {string} title @param {...Node} content */
export function showDialog(title, ...content) {
  const element = dialog();
  const close = make("button", { class: "btn btn--quiet btn--icon", type: "button", "data-dialog-close": true }, icon("close"), spoken(t("close")));
  element.replaceChildren(
    make("div", { class: "dialog__head" }, make("h2", { id: "dialog-title" }, title), close),
    make("div", { class: "dialog__body" }, ...content),
  );
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
    if (!element.childElementCount || element.open) return;
    element.showModal();
    /** @type {HTMLElement | null} */ (element.querySelector("[autofocus], input:not([type=hidden]), textarea, select"))?.focus();
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
