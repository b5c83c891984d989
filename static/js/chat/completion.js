// @ts-check
/** Suggestions while writing: `@` for people, `#` for channels, `:` for emoji. The list is a listbox; the field keeps the focus. */

import { request } from "../shell/api.js";
import { all, debounce, icon, make } from "../shell/dom.js";
import { inOrganization, t } from "../shell/page.js";
import { commands } from "./commands.js";
import { findEmoji } from "./emoji.js";

/** @typedef {{text: string, label: string, sign: string | Node, note?: string}} Choice */

const MOST = 8;
const SLASH = /^\/([a-z]*)$/;
const STARTS = /(?:^|[\s(])([@:#])([\p{L}\p{N}_.+-]*(?: [\p{L}\p{N}.'’-]+){0,3})$/u;

/** @param {HTMLTextAreaElement} field @param {HTMLElement} list */
export function completions(field, list) {
  /** @type {Choice[]} */
  let choices = [];
  let chosen = 0;
  let start = 0;
  let round = 0;
  list.id ||= `completion-${crypto.randomUUID()}`;
  field.setAttribute("aria-controls", list.id);
  field.setAttribute("aria-autocomplete", "list");

  const close = () => {
    round += 1; // what is still looked up is not wanted any more
    list.hidden = true;
    choices = [];
    field.removeAttribute("aria-activedescendant");
  };

  const draw = () => {
    list.hidden = !choices.length;
    list.replaceChildren(
      ...choices.map(({ sign, label, note }, index) => {
        const option = make("div", { class: "menu__item", role: "option", id: `${list.id}-${index}`, "aria-selected": index === chosen }, sign, make("span", { class: "cut" }, label), note ? make("span", { class: "menu__note" }, note) : undefined);
        option.addEventListener("mousedown", (event) => {
          event.preventDefault();
          take(index);
        });
        return option;
      }),
    );
    if (choices.length) {
      field.setAttribute("aria-activedescendant", `${list.id}-${chosen}`);
      list.children[chosen]?.scrollIntoView({ block: "nearest" });
    }
  };

  /** @param {number} index */
  const take = (index) => {
    const choice = choices[index];
    if (!choice) return;
    field.setRangeText(`${choice.text} `, start, field.selectionEnd, "end");
    close();
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  };

  const look = debounce(async (/** @type {string} */ kind, /** @type {string} */ word, /** @type {number} */ number) => {
    const found = kind === "/" ? await slashed(word) : kind === "@" ? await people(word) : kind === "#" ? channels(word) : word.length > 1 ? await emoji(word) : [];
    if (number !== round) return;
    choices = found.slice(0, MOST);
    chosen = 0;
    draw();
  }, 120);

  field.addEventListener("input", () => {
    round += 1;
    const before = field.value.slice(0, field.selectionEnd);
    const slash = SLASH.exec(before);
    const match = slash ? ["", "/", slash[1] ?? ""] : STARTS.exec(before);
    if (!match) {
      close();
      return;
    }
    const [, kind = "", word = ""] = match;
    start = field.selectionEnd - word.length - 1;
    look(kind, word, round);
  });

  field.addEventListener("keydown", (event) => {
    if (list.hidden && event.key === "Enter") close(); // the text is sent: suggestions to it would come too late
    if (list.hidden || event.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      chosen = (chosen + (event.key === "ArrowDown" ? 1 : -1) + choices.length) % choices.length;
      draw();
    } else if (event.key === "Enter" || event.key === "Tab") {
      take(chosen);
    } else if (event.key === "Escape") {
      close();
    } else {
      return;
    }
    event.preventDefault();
  });
  field.addEventListener("blur", close);
}

/** @param {string} word @returns {Promise<Choice[]>} */
async function people(word) {
  try {
    const answer = await request("GET", `${inOrganization("people/")}?q=${encodeURIComponent(word)}`);
    /** @type {{people: Array<{name: string, title: string, initials: string, tint: number, is_agent: boolean}>, groups: Array<{name: string, members: number}>}} */
    const found = await answer.json();
    const everyone = [
      { text: "@all", label: "all", sign: "@", note: t("everyone") },
      { text: "@here", label: "here", sign: "@", note: t("here") },
    ].filter(({ label }) => word && label.startsWith(word.toLowerCase()));
    return [
      ...found.people.map(({ name, title, initials, tint, is_agent }) => ({
        text: `@**${name}**`,
        label: name,
        note: is_agent ? t("agent") : title,
        sign: make("span", { class: `avatar avatar--xs${is_agent ? " avatar--agent" : ""}`, "data-tint": is_agent ? undefined : tint, "aria-hidden": "true" }, initials),
      })),
      ...found.groups.map(({ name, members }) => ({ text: `@**${name}**`, label: name, sign: icon("people", "s"), note: t("group_of", { count: members }) })),
      ...everyone,
    ];
  } catch {
    return []; // without suggestions a name can still be written
  }
}

/** Public channels of the list; the name of a private one is no link. @param {string} word @returns {Choice[]} */
function channels(word) {
  const needle = word.toLocaleLowerCase();
  const names = all('.conv[data-kind="channel"]:not([data-private])').map((link) => link.dataset.name ?? "");
  return names.filter((name) => name.toLocaleLowerCase().includes(needle)).map((name) => ({ text: `#**${name}**`, label: name, sign: icon("hash", "s") }));
}

/** @param {string} word @returns {Promise<Choice[]>} */
async function slashed(word) {
  const found = (await commands()).filter(({ name }) => name.startsWith(word));
  return found.map(({ name, usage, description }) => ({ text: `/${name}`, label: `/${name} ${usage}`, note: description, sign: "" }));
}

/** @param {string} word @returns {Promise<Choice[]>} */
async function emoji(word) {
  try {
    return (await findEmoji(word)).map(([, sign, name]) => ({ text: sign, label: name, sign }));
  } catch {
    return []; // without suggestions a sign can still be written
  }
}
