// @ts-check
/** The one floating menu: arrows, Home, End, first letters; Escape gives the focus back to its button. */

import { all, icon, make, one } from "./dom.js";

/**
 * `later` is what an item says once the server answered.
 * @typedef {{label: string, later?: Promise<string>, icon?: string, key?: string, bad?: boolean, line?: boolean, url?: string, run?: () => void}} Item
 */

const menu = /** @type {HTMLElement} */ (document.getElementById("menu"));
/** @type {HTMLElement | null} */
let opener = null;

/** @param {HTMLElement} button @param {string} label @param {Item[]} items */
export function openMenu(button, label, items) {
  if (menu.matches(":popover-open")) menu.hidePopover();
  // What is on the page stands in one of its landmarks.
  one("#main").append(menu);
  menu.setAttribute("aria-label", label);
  menu.replaceChildren(...items.flatMap((item) => (item.line ? [document.createElement("hr"), entry(item)] : [entry(item)])));
  opener = button;
  button.setAttribute("aria-expanded", "true");
  // The source makes the button the anchor, so that style sheets place the menu.
  /** @type {any} */ (menu).showPopover({ source: button });
  all("[role=menuitem]", menu)[0]?.focus();
}

/** @param {Item} item */
function entry(item) {
  const label = document.createTextNode(item.label);
  item.later?.then((text) => (label.data = text));
  const content = [item.icon ? icon(item.icon, "s") : undefined, label, item.key ? make("kbd", {}, item.key) : undefined];
  const classes = item.bad ? "menu__item menu__item--bad" : "menu__item";
  if (item.url) return make("a", { class: classes, role: "menuitem", href: item.url, tabindex: -1 }, ...content);
  const button = make("button", { class: classes, role: "menuitem", type: "button", tabindex: -1 }, ...content);
  button.addEventListener("click", () => {
    menu.hidePopover();
    item.run?.();
  });
  return button;
}

/** @param {KeyboardEvent} event */
function move(event) {
  const items = all("[role=menuitem]", menu);
  const now = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const places = { ArrowDown: now + 1, ArrowUp: now - 1 + items.length, Home: 0, End: items.length - 1 };
  let next = /** @type {Record<string, number | undefined>} */ (places)[event.key];
  if (next === undefined && /^\p{L}$/u.test(event.key)) {
    const wanted = [...items.slice(now + 1), ...items.slice(0, now + 1)].find((item) => item.textContent?.trim().toLocaleLowerCase().startsWith(event.key.toLocaleLowerCase()));
    next = wanted && items.indexOf(wanted);
  }
  if (event.key === "Tab") menu.hidePopover();
  if (next === undefined) return;
  items[next % items.length]?.focus();
  event.preventDefault();
}

export function setUpMenu() {
  menu.addEventListener("keydown", move);
  menu.addEventListener("toggle", (event) => {
    if (/** @type {ToggleEvent} */ (event).newState !== "closed") return;
    opener?.setAttribute("aria-expanded", "false");
    if (!document.activeElement || document.activeElement === document.body || menu.contains(document.activeElement)) opener?.focus();
    opener = null;
    document.body.append(menu); // or the next page of htmx takes it away
  });
}
