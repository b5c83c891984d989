// @ts-check
/** One registry of keys: it handles them and it prints the list. Single keys are off in fields and can be switched off. */

import { showDialog } from "./dialog.js";
import { isField, make } from "./dom.js";
import { t } from "./page.js";

const OFF = "shortcuts.off";

/**
 * @typedef {{keys: string, text: string, run: (event: KeyboardEvent) => void | boolean}} Shortcut
 *   `keys` is one key (`j`), a sequence (`g a`) or has modifiers (`Ctrl+K`); `run` may return false for "not here".
 */

/** @type {Shortcut[]} */
const shortcuts = [];
let first = "";
let forget = 0;

/** @param {Shortcut} shortcut */
export function shortcut(shortcut) {
  shortcuts.push(shortcut);
}

/** What has a key can be chosen by name too. @returns {readonly Shortcut[]} */
export function commands() {
  return shortcuts;
}

export function singleKeysAreOff() {
  return localStorage.getItem(OFF) === "1";
}

/** @param {boolean} off */
export function switchSingleKeys(off) {
  localStorage.setItem(OFF, off ? "1" : "0");
}

/** @param {KeyboardEvent} event */
function name(event) {
  const modified = event.ctrlKey || event.metaKey ? "Ctrl+" : "";
  return modified + (event.key.length === 1 ? (modified ? event.key.toUpperCase() : event.key) : event.key);
}

/** @param {KeyboardEvent} event */
function handle(event) {
  if (event.defaultPrevented || event.isComposing || event.altKey || document.querySelector("dialog[open]")) return;
  const pressed = name(event);
  const isSingle = pressed.length === 1 || !pressed.includes("+");
  if (isSingle && (isField(event.target) || singleKeysAreOff())) return;
  const keys = first ? `${first} ${pressed}` : pressed;
  first = "";
  clearTimeout(forget);
  const found = shortcuts.find((shortcut) => shortcut.keys === keys);
  if (found) {
    if (found.run(event) !== false) event.preventDefault();
  } else if (isSingle && shortcuts.some((shortcut) => shortcut.keys.startsWith(`${keys} `))) {
    first = keys;
    forget = window.setTimeout(() => (first = ""), 1500);
  }
}

/** The keys as they stand on the reader's keyboard, one after the other. @param {string} keys */
export function printed(keys) {
  return keys.split(" ").map((key) => (key.length > 1 ? key.split("+").map((part) => (part.length > 1 ? t(`key.${part}`) : part)).join("+") : key));
}

/** The list of keys, made from the registry. */
export function showShortcuts() {
  const list = make("dl", { class: "keys" });
  for (const { keys, text } of shortcuts) {
    list.append(make("dt", {}, ...printed(keys).map((key) => make("kbd", {}, key))), make("dd", {}, text));
  }
  showDialog(t("shortcuts"), list, ...(singleKeysAreOff() ? [make("p", { class: "quiet" }, t("shortcuts.off"))] : []));
}

export function setUpShortcuts() {
  document.addEventListener("keydown", handle);
  shortcut({ keys: "?", text: t("shortcut.help"), run: showShortcuts });
  for (const [keys, area] of [["/", "search"], ["g a", "ask"], ["g c", "chat"]]) {
    if (!document.querySelector(`.rail [data-area="${area}"]`)) continue;
    shortcut({
      keys,
      text: t(`shortcut.${area}`),
      run: () => {
        const link = /** @type {HTMLAnchorElement | null} */ (document.querySelector(`.rail [data-area="${area}"]`));
        if (!link) return false;
        const field = document.querySelector(`[data-field="${area}"]`);
        if (field instanceof HTMLElement) field.focus();
        else location.assign(link.href);
      },
    });
  }
}
