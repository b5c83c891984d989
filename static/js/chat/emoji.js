// @ts-check
/** The emoji of the reader's language, loaded on first use; a small picker with groups, search and what is often used. */

import { make, one } from "../shell/dom.js";
import { request } from "../shell/api.js";
import { inOrganization, page, t } from "../shell/page.js";
import { explain } from "../shell/toasts.js";
import { emojiSign } from "./model.js";

/** @typedef {[group: number, emoji: string, name: string, words: string]} Emoji */

const RECENT = "emoji.recent";
const COMMON = ["👍", "❤️", "😂", "🎉", "👀", "✅", "🙏", "👎"];
/** @type {Promise<Emoji[]> | undefined} */
let loading;

/** @returns {Promise<Emoji[]>} */
function load() {
  loading ??= request("GET", page.emoji ?? "")
    .then((answer) => answer.json())
    .catch((error) => {
      loading = undefined; // the next look asks again
      throw error;
    });
  return loading;
}

/** Emoji whose name or words begin so, best first. @param {string} needle */
export async function findEmoji(needle) {
  const wanted = needle.toLocaleLowerCase().replaceAll("_", " ").trim();
  /** @type {Array<[number, Emoji]>} */
  const found = [];
  for (const each of await load()) {
    const name = each[2].toLocaleLowerCase();
    const rank = name.startsWith(wanted) ? 0 : ` ${name}`.includes(` ${wanted}`) ? 1 : ` ${each[3]}`.includes(` ${wanted}`) ? 2 : -1;
    if (rank >= 0) found.push([rank, each]);
  }
  return found.sort((one, other) => one[0] - other[0]).map(([, each]) => each);
}

/** @returns {string[]} */
export function oftenUsed() {
  const kept = JSON.parse(localStorage.getItem(RECENT) ?? "[]");
  return [...new Set([...kept, ...COMMON])].slice(0, 16);
}

/** @param {string} emoji */
function remember(emoji) {
  localStorage.setItem(RECENT, JSON.stringify([emoji, ...oftenUsed().filter((each) => each !== emoji)].slice(0, 16)));
}

/** @type {HTMLElement | undefined} */
let picker;

/** @type {Promise<string[]> | undefined} */
let own;

/** The names of the organization's own. @returns {Promise<string[]>} */
function ownEmoji() {
  own ??= request("GET", inOrganization("emoji/"))
    .then((answer) => answer.json())
    .then((found) => found.emoji)
    .catch(() => {
      own = undefined; // the usual ones are enough; the next look asks again
      return [];
    });
  return own;
}

/**
 * @param {HTMLElement} button
 * @param {(emoji: string) => void} chosen
 * @param {boolean} [withOwn] the organization's own too, which stand in reactions and not in texts
 */
export async function pickEmoji(button, chosen, withOwn = false) {
  picker?.remove();
  const field = make("input", { class: "input", type: "search", "aria-label": t("emoji.find"), placeholder: t("emoji.find"), autocomplete: "off" });
  const grid = make("div", { class: "emoji__grid" });
  picker = make("div", { class: "menu emoji", popover: true, role: "dialog", "aria-label": t("emoji") }, make("div", { class: "emoji__find" }, field), grid);
  const opened = picker;
  document.body.append(opened);
  grid.addEventListener("click", (event) => {
    const item = event.target instanceof Element ? event.target.closest("button") : null;
    if (!item) return;
    if (!item.value.startsWith(":")) remember(item.value);
    opened.hidePopover();
    chosen(item.value);
  });
  grid.addEventListener("keydown", (event) => move(event, grid));
  opened.addEventListener("toggle", (event) => {
    if (/** @type {ToggleEvent} */ (event).newState !== "closed") return;
    button.setAttribute("aria-expanded", "false");
    if (document.activeElement === document.body) button.focus();
    opened.remove();
  });
  let round = 0;
  const show = async () => {
    const number = ++round;
    try {
      const sections = [...(withOwn ? await ownSection(field.value) : []), ...(await sectionsFor(field.value))];
      if (number === round) grid.replaceChildren(...sections);
    } catch (error) {
      explain(error);
    }
  };
  field.addEventListener("input", show);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      one("button", grid).click();
    } else if (event.key === "ArrowDown") {
      event.preventDefault();
      one("button", grid).focus();
    }
  });
  button.setAttribute("aria-expanded", "true");
  /** @type {any} */ (opened).showPopover({ source: button });
  field.focus();
  await show();
}

/** @param {string} needle @returns {Promise<Node[]>} */
async function ownSection(needle) {
  const found = (await ownEmoji()).filter((code) => code.includes(needle.trim().toLocaleLowerCase()));
  return found.length ? [make("h3", {}, t("emoji.own")), ...found.map((code) => item([0, `:${code}:`, code, ""]))] : [];
}

/** @param {string} needle @returns {Promise<Node[]>} */
async function sectionsFor(needle) {
  const all = await load();
  if (needle.trim()) {
    const found = await findEmoji(needle);
    return found.length ? found.slice(0, 120).map(item) : [make("h3", {}, t("emoji.none"))];
  }
  const names = new Map(all.map((each) => [each[1], each]));
  const often = oftenUsed().map((emoji) => item(names.get(emoji) ?? [0, emoji, emoji, ""]));
  const groups = t("emoji.groups").split("|");
  return [make("h3", {}, t("emoji.recent")), ...often, ...groups.flatMap((name, group) => [make("h3", {}, name), ...all.filter((each) => each[0] === group).map(item)])];
}

/** @param {Emoji} emoji */
function item([, emoji, name]) {
  return make("button", { class: "emoji__item", type: "button", value: emoji, title: name, "aria-label": name }, emojiSign(emoji));
}

/** @param {KeyboardEvent} event @param {HTMLElement} grid */
function move(event, grid) {
  const items = [...grid.querySelectorAll("button")];
  const now = items.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 8, ArrowUp: -8 }[event.key];
  if (step === undefined || now < 0) return;
  event.preventDefault();
  items[Math.max(0, Math.min(items.length - 1, now + step))]?.focus();
}
