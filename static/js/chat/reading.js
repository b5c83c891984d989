// @ts-check
/** What was seen: articles on screen while the window has the reader's attention. The marker moves at most once a second. */

import { all, throttle } from "../shell/dom.js";
import { Interrupted, Refusal, listen, socket } from "../shell/socket.js";

export class Reading {
  /**
   * @param {HTMLElement} root
   * @param {() => number} reached a sequence up to which the place of the reader shows everything; 0 where it does not
   */
  constructor(root, reached) {
    this.root = root;
    this.reached = reached;
    this.conversation = root.dataset.conversation ?? "";
    /** @type {string | null} what alone is read here: a topic, or a thread by its first message */
    this.place = root.dataset.thread ?? root.dataset.place ?? null;
    /** where the server has the marker, and up to where it was asked to move it */
    this.read = Number(root.dataset.read);
    this.asked = this.read;
    this.seen = this.read;
    this.isPaused = !("member" in root.dataset);
    this.tell = throttle(() => this.#tell(), 1000);
    this.observer = new IntersectionObserver((entries) => this.#look(entries), { root, threshold: 0.4 });
    const again = () => this.again();
    document.addEventListener("visibilitychange", again);
    window.addEventListener("focus", again);
    this.ends = [
      listen("notice", (/** @type {import("../shell/socket.js").Notice} */ notice) => this.#moved(notice)),
      listen("open", again),
      () => document.removeEventListener("visibilitychange", again),
      () => window.removeEventListener("focus", again),
      () => this.observer.disconnect(),
    ];
  }

  /** What is told after the page was left is what was seen on it, not what came since. */
  end() {
    for (const end of this.ends) end();
    this.reached = () => 0;
  }

  /** Take down what shows now; it is told within the second. */
  mark() {
    if (!hasAttention()) return;
    this.seen = Math.max(this.seen, this.reached());
    this.tell();
  }

  /** Look at all articles again: observers tell of changes only, and the window may have been hidden. */
  again() {
    this.observer.disconnect();
    for (const article of all(".message[data-sequence]", this.root)) this.observer.observe(article);
    this.mark();
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #look(entries) {
    if (!hasAttention()) return;
    for (const { isIntersecting, target } of entries) {
      const sequence = Number(/** @type {HTMLElement} */ (target).dataset.sequence);
      if (isIntersecting && sequence > this.seen) this.seen = sequence;
    }
    this.mark();
  }

  async #tell() {
    if (this.isPaused || !hasAttention()) return;
    const sequence = this.seen;
    if (sequence <= this.asked) return;
    this.asked = sequence;
    try {
      const { last_read_sequence } = await socket.ask({ frame: "read", conversation: this.conversation, sequence, ...(this.place ? { place: this.place } : {}) });
      this.read = Math.max(this.read, last_read_sequence);
    } catch (error) {
      // Not stored: asked again with the next line, or when the server has time for it.
      this.asked = this.read;
      if (error instanceof Refusal && error.retryAfter) window.setTimeout(() => this.mark(), error.retryAfter * 1000);
      else if (!(error instanceof Interrupted) && !(error instanceof Refusal)) throw error;
    }
  }

  /** @param {import("../shell/socket.js").Notice} notice */
  #moved({ type, data }) {
    if (type !== "read.moved" || data.conversation !== this.conversation) return;
    if ((data.place ?? null) !== this.place) {
      if (data.last_read_sequence > this.read) this.read = data.last_read_sequence;
      return;
    }
    if (data.place) data = { ...data, last_read_sequence: data.place_sequence };
    this.read = data.last_read_sequence;
    if (data.back) {
      // "Unread from here": what is on screen must not count as seen again until the page is opened anew.
      this.isPaused = true;
      this.asked = this.seen = this.read;
    } else {
      this.asked = Math.max(this.asked, this.read);
    }
  }
}

function hasAttention() {
  return document.visibilityState === "visible" && document.hasFocus();
}
