// @ts-check
/** Selections in a table: all of the page, a range with Shift, a count, and the bar of actions only while one is selected. */

import { all, one } from "../shell/dom.js";
import { component } from "../shell/mount.js";
import { t } from "../shell/page.js";

component("form[data-select]", (form) => {
  const every = /** @type {HTMLInputElement | null} */ (form.querySelector("[data-select-all]"));
  const bar = /** @type {HTMLElement | null} */ (form.querySelector("[data-select-bar]"));
  const none = /** @type {HTMLButtonElement | null} */ (form.querySelector("[data-select-none]"));
  if (!every || !bar || !none) return;
  /** @type {HTMLInputElement[]} */
  const boxes = all("tbody .check", form);
  let last = -1;

  const show = () => {
    const count = boxes.filter((box) => box.checked).length;
    for (const box of boxes) box.closest("tr")?.setAttribute("aria-selected", String(box.checked));
    every.checked = count === boxes.length;
    every.indeterminate = count > 0 && count < boxes.length;
    bar.hidden = count === 0;
    one("[data-select-count]", bar).textContent = t("selected", { count });
  };

  for (const [at, box] of boxes.entries()) {
    box.addEventListener("click", (event) => {
      if (event.shiftKey && last >= 0) {
        for (const between of boxes.slice(Math.min(last, at), Math.max(last, at) + 1)) between.checked = box.checked;
      }
      last = at;
      show();
    });
  }
  every.addEventListener("change", () => {
    for (const box of boxes) box.checked = every.checked;
    show();
  });
  none.addEventListener("click", () => {
    for (const box of boxes) box.checked = false;
    show();
    every.focus();
  });
  every.hidden = none.hidden = false;
  show();
});
