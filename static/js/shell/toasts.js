// @ts-check
/** Messages at the edge. One with an action stays ten seconds and waits while it is looked at; a failure stays until read. */

import { Problem } from "./api.js";
import { all, icon, make, one, spoken } from "./dom.js";
import { component } from "./mount.js";
import { t } from "./page.js";

const STAY = 10_000;
const LATER = "toast";

/**
 * @param {string} text
 * @param {{bad?: boolean, id?: string, action?: {label: string, run: () => void}}} [options]
 */
export function toast(text, { bad = false, id = "", action } = {}) {
  // The same failure again is one: it takes the place of the one before, and is not said more often.
  const before = bad ? all("#toasts > .toast--bad").find((other) => said(other) === text) : undefined;
  if (before && performance.now() - Number(before.dataset.since) < STAY) return;
  before?.remove();
  const line = make("span", {}, text);
  if (id) line.append(" ", make("code", {}, t("request", { id })));
  const element = make(
    "div",
    { class: bad ? "toast toast--bad" : "toast", role: bad ? "alert" : "status", "data-toast": true },
    bad ? icon("warn") : undefined,
    line,
  );
  if (action) {
    const button = make("button", { class: "btn btn--small", type: "button" }, action.label);
    button.addEventListener("click", () => {
      element.remove();
      action.run();
    });
    element.append(button);
  }
  element.append(make("button", { class: "btn btn--icon btn--small", type: "button", "data-toast-close": true }, icon("close", "s"), spoken(t("close"))));
  element.dataset.since = String(performance.now());
  live(element);
  one("#toasts").append(element);
}

/** Say something on the page that comes next. @param {string} text */
export function later(text) {
  sessionStorage.setItem(LATER, text);
}

/** Say why something failed. @param {unknown} error */
export function explain(error) {
  if (error instanceof DOMException && error.name === "AbortError") return;
  if (!(error instanceof Problem)) throw error;
  if (error.status === 0) toast(error.detail || t("no_answer"), { bad: true });
  else if (error.status === 401) toast(t("signed_out"), { bad: true });
  else toast(error.detail || t("failed"), { bad: true, id: error.request });
}

/** @param {HTMLElement} element */
function live(element) {
  one("[data-toast-close]", element).addEventListener("click", () => element.remove());
  if (element.classList.contains("toast--bad")) return;
  let timer = 0;
  const hold = () => clearTimeout(timer);
  const wait = () => {
    hold();
    // The pointer may have left while the keys are still here, or the other way round.
    timer = window.setTimeout(() => (element.matches(":hover, :focus-within") ? wait() : element.remove()), STAY);
  };
  for (const name of ["pointerenter", "focusin"]) element.addEventListener(name, hold);
  for (const name of ["pointerleave", "focusout"]) element.addEventListener(name, wait);
  wait();
}

component("#toasts", () => {
  const text = sessionStorage.getItem(LATER);
  sessionStorage.removeItem(LATER);
  if (text) toast(text);
});

component("#toasts > [data-toast]:not([data-live])", (element) => {
  element.dataset.live = "";
  // What a part of the page asks for again and again is refused again and again: that is said once.
  const known = all("#toasts > .toast--bad").some((other) => other !== element && said(other) === said(element));
  if (known && element.classList.contains("toast--bad")) element.remove();
  else live(element);
});

/** The sentence of a message, without the number of its request. @param {HTMLElement} element */
function said(element) {
  return one("span", element).firstChild?.textContent?.trim();
}
