// @ts-check
/** Suggestions while writing a search. The list is a listbox; the field keeps the focus. */

import { request } from "./shell/api.js";
import { debounce, make, one } from "./shell/dom.js";
import { announce } from "./shell/live-region.js";
import { component } from "./shell/mount.js";
import { inOrganization } from "./shell/page.js";

/** @typedef {{text: string, label: string, note: string}} Choice */
/** @typedef {{start: number, end: number, suggestions: Choice[]}} Found */

const NOTHING = /** @type {Found} */ ({ start: 0, end: 0, suggestions: [] });

/** The server counts characters, a field counts halves of some of them. @param {string} text @param {number} characters */
function place(text, characters) {
  return [...text].slice(0, characters).join("").length;
}

/** @param {string} text @param {number} at @returns {Promise<Found>} */
async function look(text, at) {
  const asked = new URLSearchParams({ q: text, at: String([...text.slice(0, at)].length) });
  try {
    return await (await request("GET", `${inOrganization("search/completions/")}?${asked}`)).json();
  } catch {
    return NOTHING; // without suggestions a search can still be written
  }
}

component("[data-completes]", (holder) => {
  const field = /** @type {HTMLInputElement} */ (one("input", holder));
  const list = /** @type {HTMLElement} */ (one("[role=listbox]", holder));
  let found = NOTHING;
  let chosen = -1;
  let round = 0;

  const close = () => {
    round += 1;
    list.hidden = true;
    found = NOTHING;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  };

  const draw = () => {
    list.hidden = !found.suggestions.length;
    field.setAttribute("aria-expanded", String(!list.hidden));
    list.replaceChildren(
      ...found.suggestions.map(({ label, note }, index) => {
        const option = make("div", { class: "menu__item", role: "option", id: `${list.id}-${index}`, "aria-selected": index === chosen }, make("span", { class: "cut" }, label), note ? make("span", { class: "menu__note" }, note) : undefined);
        option.addEventListener("mousedown", (event) => {
          event.preventDefault();
          take(index);
        });
        return option;
      }),
    );
    if (chosen < 0) {
      field.removeAttribute("aria-activedescendant");
      return;
    }
    field.setAttribute("aria-activedescendant", `${list.id}-${chosen}`);
    list.children[chosen]?.scrollIntoView({ block: "nearest" });
  };

  /** @param {number} index */
  const take = (index) => {
    const choice = found.suggestions[index];
    if (!choice) return;
    field.setRangeText(choice.text, place(field.value, found.start), place(field.value, found.end), "end");
    close();
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  };

  /** Whether a value is being written: who writes a word that an operator begins with, too, tabs on. */
  const isValue = () => field.value.slice(place(field.value, found.start), place(field.value, found.end)).includes(":");

  const ask = debounce(async (/** @type {number} */ number) => {
    const answer = await look(field.value, field.selectionEnd ?? field.value.length);
    if (number !== round || document.activeElement !== field) return;
    found = answer;
    chosen = -1;
    draw();
  }, 120);

  field.addEventListener("input", () => {
    round += 1;
    ask(round);
  });

  field.addEventListener("keydown", (event) => {
    if (list.hidden || event.isComposing) return;
    const count = found.suggestions.length;
    if (event.key === "ArrowDown") chosen = (chosen + 1) % count;
    else if (event.key === "ArrowUp") chosen = (chosen <= 0 ? count : chosen) - 1;
    else if (event.key === "Escape") {
      close();
      event.preventDefault();
      return;
    } else if (event.key === "Tab" && !event.shiftKey && (chosen >= 0 || isValue())) {
      take(Math.max(chosen, 0));
      event.preventDefault();
      return;
    } else if (event.key === "Enter" && chosen >= 0) {
      take(chosen);
      event.preventDefault();
      return;
    } else {
      if (event.key === "Enter") close();
      return;
    }
    draw();
    event.preventDefault();
  });
  field.addEventListener("blur", close);
});

let drawn = 0;

// A part that is swapped in says nothing by itself.
component("#results", (results) => {
  const text = results.querySelector("[data-said]")?.textContent;
  if (drawn++ && text) announce(text.trim());
});

const PAUSE = 3000; // milliseconds

// What was found for a text that is being written counts as a search once somebody reads it.
component("#results[data-finished]", (results) => {
  let isTold = false;
  const tell = async () => {
    if (isTold) return;
    isTold = true;
    try {
      await request("POST", results.dataset.finished ?? "", { keepalive: true });
    } catch {
      isTold = false; // it counts with the next sign, or not at all
    }
  };
  const timer = window.setTimeout(tell, PAUSE);
  results.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("a, button")) tell();
  });
  return () => window.clearTimeout(timer);
});

/** Whether the place in the browser's history is of a text that is still being written: the next one takes it over. */
let isDraft = !(/** @type {HTMLInputElement} */ (one("#search-form [name=q]")).value);
let isWriting = false;

document.addEventListener("htmx:config:request", (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  if (ctx.sourceElement?.id !== "search-form") return;
  isWriting = ctx.sourceEvent?.type === "input";
  if (isWriting) ctx.request.headers["Search-Draft"] = "1";
});

document.addEventListener("htmx:before:history:update", (event) => {
  const { history: step, sourceElement } = /** @type {CustomEvent} */ (event).detail;
  if (sourceElement?.id !== "search-form") return;
  if (isDraft || step.path === location.pathname + location.search) step.type = "replace";
  isDraft = isWriting;
});

window.addEventListener("popstate", () => {
  isDraft = false;
});
