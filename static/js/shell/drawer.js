// @ts-check
/** On narrow windows the list and the panel are drawers: `data-list` and `data-panel` of the frame say which is open. */

import { component } from "./mount.js";
import { onEscape } from "./layers.js";

/** @returns {HTMLElement | null} */
const frame = () => document.querySelector(".frame");

component("[data-drawer]", (button) => {
  button.addEventListener("click", (event) => {
    const name = button.dataset.drawer ?? "list";
    const element = frame();
    if (!element || getComputedStyle(button).display === "none") return;
    const isOpen = element.dataset[name] === "open";
    element.dataset[name] = isOpen ? "" : "open";
    button.setAttribute("aria-expanded", String(!isOpen));
    if (!isOpen) /** @type {HTMLElement | null} */ (element.querySelector(`.${name} a, .${name} input, .${name} button`))?.focus();
    event.preventDefault();
  });
});

export function closeDrawers() {
  const element = frame();
  if (element?.dataset.list !== "open") return false;
  const button = document.querySelector('[data-drawer="list"]');
  element.dataset.list = "";
  button?.setAttribute("aria-expanded", "false");
  if (button instanceof HTMLElement && document.activeElement?.closest(".list")) button.focus();
  return true;
}

document.addEventListener("click", (event) => {
  const element = frame();
  if (element?.dataset.list !== "open" || !(event.target instanceof Element)) return;
  if (event.target.closest(".conv") || !event.target.closest(".list, [data-drawer]")) closeDrawers();
});

onEscape(20, closeDrawers);
