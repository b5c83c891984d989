// @ts-check
/** The command palette: type a part of a name, get conversations, people, pages and commands. The field keeps the focus. */

import { Problem, request } from "./api.js";
import { all, debounce, icon, make, one } from "./dom.js";
import { inOrganization, t } from "./page.js";
import { commands, printed, shortcut } from "./shortcuts.js";
import { toast } from "./toasts.js";

const MOST_COMMANDS = 8;
const KEYS = "Ctrl+K";

class Palette {
  /** @param {HTMLDialogElement} dialog */
  constructor(dialog) {
    this.dialog = dialog;
    this.field = /** @type {HTMLInputElement} */ (one("input", dialog));
    this.list = one("[role=listbox]", dialog);
    this.note = one("[role=status]", dialog);
    this.round = 0;
    /** settles when what was typed last is drawn */
    this.drawn = Promise.resolve();
    const look = debounce(() => void (this.drawn = this.#look()), 80);
    this.field.addEventListener("input", look);
    this.dialog.addEventListener("keydown", (event) => this.#key(event, look.now));
    this.dialog.addEventListener("click", (event) => this.#click(event));
    this.dialog.addEventListener("close", () => {
      this.list.replaceChildren();
      this.note.textContent = "";
    });
  }

  open() {
    this.field.value = "";
    this.dialog.showModal();
    this.drawn = this.#look();
  }

  get #options() {
    return all("[role=option]", this.list);
  }

  get #chosen() {
    return this.#options.findIndex((option) => option.getAttribute("aria-selected") === "true");
  }

  async #look() {
    const round = (this.round += 1);
    const typed = this.field.value.trim();
    const found = await places(typed);
    if (round !== this.round || !this.dialog.open) return;
    this.list.replaceChildren(...(found ?? []), ...this.#commands(typed), ...this.#search(typed));
    this.note.textContent = found ? "" : t("palette.alone");
    this.#choose(0);
  }

  /** @param {string} typed */
  #commands(typed) {
    const needle = typed.toLocaleLowerCase();
    const fitting = commands().filter(({ keys, text }) => keys !== KEYS && text.toLocaleLowerCase().includes(needle));
    if (!fitting.length) return [];
    const head = make("p", { class: "menu__head", id: "palette-commands" }, t("palette.commands"));
    const items = fitting.slice(0, MOST_COMMANDS).map((command, index) => {
      const keys = printed(command.keys).map((key) => make("kbd", {}, key));
      const item = make("button", { class: "menu__item", type: "button", role: "option", id: `palette-command-${index}`, tabindex: "-1" }, icon("right", "s"), make("span", { class: "cut" }, command.text), make("span", { class: "menu__note" }, ...keys));
      item.addEventListener("click", () => {
        this.dialog.close();
        if (command.run(new KeyboardEvent("keydown")) === false) toast(t("palette.not_here", { command: command.text }));
      });
      return item;
    });
    return [make("div", { role: "group", "aria-labelledby": head.id }, head, ...items)];
  }

  /** What no name fits may stand in a text: the search is the last choice, and the first where nothing else is. @param {string} typed */
  #search(typed) {
    if (!typed) return [];
    const href = `${inOrganization("search/")}?q=${encodeURIComponent(typed)}`;
    return [make("a", { class: "menu__item", role: "option", id: "palette-search", tabindex: "-1", href }, icon("search", "s"), make("span", { class: "cut" }, t("palette.search", { typed })))];
  }

  /** @param {number} index */
  #choose(index) {
    const options = this.#options;
    for (const [at, option] of options.entries()) option.setAttribute("aria-selected", String(at === index));
    const chosen = options[index];
    if (chosen) this.field.setAttribute("aria-activedescendant", chosen.id);
    else this.field.removeAttribute("aria-activedescendant");
    chosen?.scrollIntoView({ block: "nearest" });
  }

  /** @param {KeyboardEvent} event @param {() => void} lookNow begins with what was typed last */
  #key(event, lookNow) {
    if (event.isComposing) return;
    const count = this.#options.length;
    if ((event.key === "ArrowDown" || event.key === "ArrowUp") && count) {
      this.#choose((this.#chosen + (event.key === "ArrowDown" ? 1 : -1) + count) % count);
    } else if (event.key === "Enter") {
      lookNow();
      void this.drawn.then(() => this.#options[this.#chosen]?.click());
    } else if (event.key === "Escape" || ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k")) {
      this.dialog.close(); // a search field would take the first Escape to empty itself
    } else {
      return;
    }
    event.preventDefault();
  }

  /** @param {MouseEvent} event */
  #click(event) {
    if (!(event.target instanceof Element)) return;
    const link = event.target.closest("a");
    if (!link && event.target !== this.dialog) return;
    this.dialog.close();
    // A conversation of the list is drawn into this page, as if it had been chosen there.
    const entry = link && all(".conv").find((one) => one.getAttribute("href") === link.getAttribute("href"));
    if (!entry || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    entry.click();
  }
}

/** What the server finds, or null where it does not answer. @param {string} typed */
async function places(typed) {
  try {
    const answer = await request("GET", `${inOrganization("palette/")}?q=${encodeURIComponent(typed)}`, { accept: "text/html" });
    const holder = document.createElement("template");
    holder.innerHTML = await answer.text();
    return [...holder.content.children];
  } catch (error) {
    if (error instanceof Problem) return null;
    throw error;
  }
}

export function setUpPalette() {
  const dialog = document.getElementById("palette");
  if (!(dialog instanceof HTMLDialogElement)) return;
  const palette = new Palette(dialog);
  shortcut({ keys: KEYS, text: t("shortcut.jump"), run: () => palette.open() });
  document.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("[data-palette]")) palette.open();
  });
}
