// @ts-check
/**
 * Rows that only the server can draw: a poll with its votes, who has seen it, a pin. Many people change them at once, so a
 * row is asked for once at a time, and what is told meanwhile asks once more, later and later while it goes on. Answers
 * cannot overtake each other.
 */

import { scan } from "../shell/mount.js";
import { explain } from "../shell/toasts.js";
import * as view from "./message-view.js";

const FIRST_WAIT = 400;
const LONGEST_WAIT = 3000;

export class Redrawing {
  /**
   * @param {{root: HTMLElement, conversation: string, thread: string | null}} window
   * @param {(change: () => void) => void} show keeps the place of the reader
   * @param {(article: HTMLElement) => void} edited the row is being edited: it is drawn when that is over
   */
  constructor(window, show, edited) {
    this.window = window;
    this.show = show;
    this.edited = edited;
    /** @type {Map<string, {isStale: boolean, wait: number, timer: number}>} by message, while one is asked for or waits */
    this.asked = new Map();
  }

  end() {
    for (const { timer } of this.asked.values()) clearTimeout(timer);
    this.asked.clear();
  }

  /** @param {HTMLElement} article */
  draw(article) {
    const id = article.dataset.message ?? "";
    const known = this.asked.get(id);
    if (known) {
      known.isStale = true;
      return;
    }
    this.asked.set(id, { isStale: false, wait: FIRST_WAIT, timer: 0 });
    void this.#ask(id);
  }

  /** @param {string} id */
  async #ask(id) {
    const turn = this.asked.get(id);
    if (!turn) return;
    turn.isStale = false;
    const { conversation, thread, root } = this.window;
    try {
      const isMore = !!view.element(id, root)?.matches(".message--more");
      const drawn = await view.fetchArticle(conversation, id, !!thread, isMore);
      const article = view.element(id, root);
      if (!article || this.asked.get(id) !== turn) return this.#forget(id, turn);
      if (article.querySelector("[data-edit]")) {
        this.#forget(id, turn);
        return this.edited(article);
      }
      this.show(() => view.keepFocus(article, () => article.replaceWith(drawn), drawn));
      /** @type {any} */ (window).htmx.process(drawn);
      scan();
    } catch (error) {
      this.#forget(id, turn);
      return explain(error);
    }
    // Once more after a while where something was told meanwhile; where nothing is told until then, that was all.
    turn.timer = window.setTimeout(() => (turn.isStale ? void this.#ask(id) : this.#forget(id, turn)), turn.wait);
    turn.wait = Math.min(LONGEST_WAIT, 2 * turn.wait);
  }

  /** @param {string} id @param {object} turn */
  #forget(id, turn) {
    if (this.asked.get(id) === turn) this.asked.delete(id);
  }
}
