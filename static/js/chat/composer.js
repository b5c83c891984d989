// @ts-check
/** The composer: Enter sends, Shift+Enter breaks the line; text survives everything, here and on the server. */

import { request } from "../shell/api.js";
import { debounce, one } from "../shell/dom.js";
import { component } from "../shell/mount.js";
import { page, t } from "../shell/page.js";
import { listen, socket } from "../shell/socket.js";
import { isCommand, runCommand } from "./commands.js";
import { completions } from "./completion.js";
import { pickEmoji } from "./emoji.js";
import { sendLater } from "./later.js";
import { post } from "./outbox.js";
import { Uploads } from "./upload.js";

const KEEP = 800;
const TYPING = 2500;

/** @type {Map<HTMLElement, Composer>} */
const composers = new Map();

class Composer {
  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.form = form;
    this.conversation = form.dataset.conversation ?? "";
    this.thread = form.dataset.thread ?? null;
    this.text = /** @type {HTMLTextAreaElement} */ (one("[data-text]", form));
    this.topicField = /** @type {HTMLInputElement | null} */ (form.querySelector("[data-topic-field]"));
    this.key = `draft.${page.me?.member}.${this.conversation}.${this.thread ?? ""}`;
    this.topicKey = `${this.key}.topic`;
    this.priority = /** @type {HTMLSelectElement} */ (one("[data-priority]", form));
    this.priority.addEventListener("change", () => this.#prioritise());
    this.uploads = new Uploads(form, this.key, () => this.#explain());
    this.typed = 0;
    this.isSaving = false;
    this.isDue = false;
    this.keep = debounce(() => this.#save(), KEEP);
    const local = localStorage.getItem(this.key);
    if (local !== null && local !== this.text.value) {
      this.text.value = local;
      this.keep();
    }
    if (local && this.topicField) this.topicField.value = localStorage.getItem(this.topicKey) ?? this.topicField.value;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    this.text.addEventListener("input", () => this.#changed());
    this.topicField?.addEventListener("input", () => this.text.value && this.#changed());
    completions(this.text, one("[data-completion]", form));
    this.text.addEventListener("keydown", (event) => this.#key(event));
    form.addEventListener("click", (event) => this.#tool(event));
    const went = (/** @type {Event} */ event) => this.#topicWent(/** @type {CustomEvent} */ (event).detail);
    document.addEventListener("chat:topic-went", went);
    this.endTopics = () => document.removeEventListener("chat:topic-went", went);
    const endNotices = listen("notice", (/** @type {import("../shell/socket.js").Notice} */ notice) => this.#fromElsewhere(notice));
    // What could not be kept while there was no line, an empty text after a message included.
    const endOpen = listen("open", () => localStorage.getItem(this.key) !== null && this.keep());
    this.endDrafts = () => [endNotices, endOpen].forEach((end) => end());
    const leaving = () => {
      this.isSaving = false; // nothing waits any more in a page that goes
      this.keep.now();
    };
    window.addEventListener("pagehide", leaving);
    this.endLeaving = () => window.removeEventListener("pagehide", leaving);
    this.#explain();
  }

  end() {
    this.keep.now();
    this.endDrafts();
    this.endTopics();
    this.endLeaving();
  }

  /** The topic that it shows; empty is the general one. */
  get topic() {
    return this.topicField?.value.trim() ?? "";
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.defaultPrevented || event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey && !event.ctrlKey && !event.altKey) {
      // On a phone the key for a new line has no other place.
      if (matchMedia("(pointer: coarse)").matches) return;
      event.preventDefault();
      this.form.requestSubmit();
    } else if (event.key === "Enter" && event.ctrlKey) {
      event.preventDefault();
      this.form.requestSubmit();
    } else if (event.key === "ArrowUp" && !this.text.value && !this.thread) {
      const own = [...document.querySelectorAll("#main .message[data-mine][data-sequence]:not(.message--deleted)")].at(-1);
      if (own) {
        event.preventDefault();
        own.dispatchEvent(new CustomEvent("chat:edit", { bubbles: true }));
      }
    }
  }

  #changed() {
    localStorage.setItem(this.key, this.text.value);
    localStorage.setItem(this.topicKey, this.topic);
    this.keep();
    this.#explain();
    if (this.text.value && Date.now() - this.typed > TYPING) {
      this.typed = Date.now();
      socket.send({ frame: "typing", conversation: this.conversation, ...(this.thread ? { thread: this.thread } : {}) });
    }
  }

  /** Keep the text on the server, one after the other: two on their way at once may arrive in either order. */
  async #save() {
    this.isDue = true;
    if (this.isSaving) return;
    this.isSaving = true;
    while (this.isDue) {
      this.isDue = false;
      await this.#put();
    }
    this.isSaving = false;
  }

  async #put() {
    const { topic } = this;
    const body = this.text.value;
    try {
      await request("POST", this.form.dataset.draftUrl ?? "", { form: { body, topic, ...(this.thread ? { thread: this.thread } : {}) }, keepalive: true });
      if (this.text.value === body && this.topic === topic) this.#forgetLocal();
    } catch {
      // The text stays in this browser and is saved with the next change, with the next line, or when the composer is drawn again.
    }
  }

  /** @param {import("../shell/socket.js").Notice} notice */
  #fromElsewhere({ type, data }) {
    if (type !== "draft.saved" || data.conversation !== this.conversation || (data.thread ?? null) !== this.thread) return;
    const isWriting = [this.text, this.topicField].some((field) => field && field === document.activeElement);
    if (isWriting || localStorage.getItem(this.key) !== null) return;
    this.text.value = data.body;
    if (this.topicField && data.body) this.topicField.value = data.topic;
  }

  /** @param {{conversation: string, from: string, to: string}} topic */
  #topicWent({ conversation, from, to }) {
    if (!this.topicField || conversation !== this.conversation || this.topic.toLocaleLowerCase() !== from.toLocaleLowerCase()) return;
    this.topicField.value = to;
    if (localStorage.getItem(this.key) !== null) localStorage.setItem(this.topicKey, to);
  }

  #forgetLocal() {
    localStorage.removeItem(this.key);
    localStorage.removeItem(this.topicKey);
  }

  send() {
    const body = this.text.value;
    if (!this.uploads.isReady || this.#excess > 0 || (!body.trim() && !this.uploads.files.length)) {
      this.#explain();
      return;
    }
    if (isCommand(body) && !this.uploads.files.length) {
      this.#command(body);
      return;
    }
    const { topic } = this;
    const priority = this.priority.value;
    post({ conversation: this.conversation, thread: this.thread, ...(topic ? { topic } : {}), body, attachments: this.uploads.take(), ...(priority ? { priority } : {}) });
    this.empty();
    this.typed = 0;
    this.text.focus();
  }

  /** @param {string} line */
  async #command(line) {
    if (await runCommand({ conversation: this.conversation, thread: this.thread, topic: this.topic, line })) this.#emptyText();
    this.text.focus();
  }

  /** Show the chosen priority beside its sign. */
  #prioritise() {
    const { value, selectedOptions } = this.priority;
    /** @type {HTMLElement} */ (this.priority.parentElement).dataset.chosen = value ? (selectedOptions[0]?.text ?? "") : "";
  }

  /** Characters more than a message has; what is pasted is never cut. */
  get #excess() {
    const most = Number(this.text.dataset.most);
    return this.text.value.length > most ? [...this.text.value.trim()].length - most : 0;
  }

  /** Say beside the button why it does not send now. */
  #explain() {
    const why = one("[data-why]", this.form);
    const button = one("button[type=submit]", this.form);
    const count = this.uploads.running;
    const excess = this.#excess;
    why.textContent = excess > 0 ? t("too_long", { count: excess }) : this.uploads.hasFailed ? t("failed_file") : count ? t("waits_for_files", { count }) : "";
    if (this.uploads.isReady && excess <= 0) button.removeAttribute("aria-disabled");
    else button.setAttribute("aria-disabled", "true");
  }

  /** @param {MouseEvent} event */
  #tool(event) {
    const button = event.target instanceof Element ? event.target.closest("button") : null;
    if (!button) return;
    if (button.dataset.insert === "@") this.insert("@");
    else if (button.dataset.insert === "code") this.#insertCode();
    else if (button.dataset.later) this.#later(button.dataset.later);
    else if ("emoji" in button.dataset) pickEmoji(button, (emoji) => this.insert(emoji));
  }

  /** @param {string} address */
  #later(address) {
    if (this.uploads.isReady) sendLater(this, address);
    else this.#explain();
  }

  /** @param {string} text */
  insert(text) {
    const { selectionStart: start, selectionEnd: end, value } = this.text;
    const space = start > 0 && !/\s$/.test(value.slice(0, start)) ? " " : "";
    this.text.setRangeText(space + text, start, end, "end");
    this.text.focus();
    this.text.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }

  /** @param {import("./outbox.js").Waiting} item */
  takeBack({ body, topic = "", priority = "", attachments }) {
    if (this.topicField && (topic || !this.text.value)) this.topicField.value = topic;
    if (priority) this.priority.value = priority;
    this.#prioritise();
    this.uploads.putBack(attachments);
    this.text.value = [this.text.value, body].filter(Boolean).join("\n\n");
    this.text.dispatchEvent(new InputEvent("input", { bubbles: true }));
    this.text.focus();
  }

  /** All that is written and chosen is kept elsewhere now; the next message goes into the same topic. */
  empty() {
    this.priority.value = "";
    this.#prioritise();
    this.uploads.take();
    this.#emptyText();
  }

  #emptyText() {
    this.text.value = "";
    localStorage.setItem(this.key, ""); // until the server knows that nothing is left
    this.keep();
    this.keep.now();
    this.#explain();
  }

  /** Put a quotation above what is written. @param {string} text */
  insertBlock(text) {
    this.text.value = text + this.text.value;
    this.text.dispatchEvent(new InputEvent("input", { bubbles: true }));
    this.text.focus();
    this.text.setSelectionRange(this.text.value.length, this.text.value.length);
  }

  #insertCode() {
    const { selectionStart: start, selectionEnd: end, value } = this.text;
    const chosen = value.slice(start, end);
    const isBlock = chosen.includes("\n") || !chosen;
    const before = isBlock ? `${start > 0 && value[start - 1] !== "\n" ? "\n" : ""}\`\`\`\n` : "`";
    this.text.setRangeText(before + chosen + (isBlock ? "\n```\n" : "`"), start, end, "end");
    this.text.selectionStart = this.text.selectionEnd = start + before.length + chosen.length;
    this.text.focus();
    this.text.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }
}

/**
 * Put a message that was not sent back where it was written, with all that belongs to it.
 * @param {import("./outbox.js").Waiting} item
 * @returns {boolean} whether there is such a place
 */
export function fillComposer(item) {
  const found = [...composers.values()].find((composer) => composer.conversation === item.conversation && composer.thread === item.thread);
  found?.takeBack(item);
  return !!found;
}

/** The composer below a message: of its thread, or of the main column. @param {HTMLElement} article */
export function composerOf(article) {
  const panel = article.closest("#panel");
  return [...composers.values()].find((composer) => !!composer.thread === !!panel && composer.form.isConnected);
}

/** The composer of the main column. */
export function mainComposer() {
  return [...composers.values()].find((composer) => !composer.thread && composer.form.isConnected);
}

component("[data-composer]", (form) => {
  const composer = new Composer(/** @type {HTMLFormElement} */ (form));
  composers.set(form, composer);
  return () => {
    composer.end();
    composers.delete(form);
  };
});
