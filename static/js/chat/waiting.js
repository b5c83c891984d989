// @ts-check
/** Rows of messages on their way: below the stored ones of a window until the server has them, or says why it has not. */

import { copy } from "../shell/clipboard.js";
import { all } from "../shell/dom.js";
import { scan } from "../shell/mount.js";
import { page, t } from "../shell/page.js";
import { listen, socket } from "../shell/socket.js";
import { explain, toast } from "../shell/toasts.js";
import { fillComposer } from "./composer.js";
import * as view from "./message-view.js";
import { outbox, remove, retry, waitingIn } from "./outbox.js";

/** @typedef {import("./outbox.js").Waiting} Waiting */
/**
 * @typedef {{
 *   root: HTMLElement, conversation: string, thread: string | null, place: string | null, readonly isLive: boolean,
 *   jumpToNewest: () => Promise<void>, toNewest: () => void,
 * }} Window a window of messages
 */

export class WaitingRows {
  /** @param {Window} window */
  constructor(window) {
    this.window = window;
    this.ends = [
      listen("offline", () => this.draw()),
      this.#on("added", (item) => this.#waits(item)),
      this.#on("failed", (item) => this.#failed(item)),
      this.#on("found", (item) => this.#found(item)),
      this.#on("removed", (item) => this.row(item.client_key)?.remove()),
      this.#on("sent", ({ item, ack }) => this.#sent(item, ack)),
    ];
    this.draw();
  }

  end() {
    for (const end of this.ends) end();
  }

  /** What waits here stands at the end, where the end is shown. */
  draw() {
    for (const item of this.#items()) this.#found(item);
  }

  /** It was written before, or in another window: nobody is led away from what is being read. @param {Waiting} item */
  #found(item) {
    if (this.window.isLive) item.failure ? this.#explain(item) : this.#show(item);
  }

  /** @param {string} key @returns {HTMLElement | null} */
  row(key) {
    return key ? this.window.root.querySelector(`#w-${CSS.escape(key)}`) : null;
  }

  #items() {
    return waitingIn(this.window.conversation, this.window.thread);
  }

  /** @param {string} name @param {(detail: any) => void} run */
  #on(name, run) {
    const listener = (/** @type {Event} */ event) => {
      const { detail } = /** @type {CustomEvent} */ (event);
      const item = detail.item ?? detail;
      if (item.conversation === this.window.conversation && item.thread === this.window.thread) run(detail);
    };
    outbox.addEventListener(name, listener);
    return () => outbox.removeEventListener(name, listener);
  }

  /** @param {Waiting} item */
  async #waits(item) {
    // What one writes stands at the end: go there first.
    if (!this.window.isLive && socket.isOpen) await this.window.jumpToNewest();
    this.#show(item);
    this.window.toNewest();
  }

  /** @param {Waiting} item */
  #show(item) {
    const { root } = this.window;
    // Written elsewhere in the channel: it stands in its own topic.
    if (this.window.place && this.#isElsewhere(item)) return;
    let article = this.row(item.client_key);
    if (!article) {
      const isMore = view.continues(all(".message", root).at(-1) ?? null, { sender: page.me?.id ?? "", sent: item.written_at });
      article = view.drawWaiting(item, { isMore, inThread: !!this.window.thread });
      root.querySelector("[data-nothing]")?.remove();
      root.append(article);
    }
    view.setState(article, socket.isOpen ? t("sending") : t("waiting"));
  }

  /** @param {Waiting} item */
  #isElsewhere(item) {
    const shown = document.querySelector("#main [data-topic-name]")?.textContent ?? "";
    return (item.topic ?? "").toLocaleLowerCase() !== (this.window.place === this.window.conversation ? "" : shown.toLocaleLowerCase());
  }

  /** @param {Waiting} item */
  async #failed(item) {
    await this.#waits(item);
    this.#explain(item);
  }

  /** @param {Waiting} item */
  #explain(item) {
    this.#show(item);
    const article = this.row(item.client_key);
    if (!article) return;
    view.setState(article, t("not_sent", { reason: item.failure ?? "" }), [
      item.code === "chat.mass_mention_unconfirmed"
        ? { label: t("send_to_all"), run: () => retry(item.client_key, true) }
        : { label: t("send_again"), run: () => retry(item.client_key) },
      {
        label: t("to_draft"),
        run: async () => {
          if (fillComposer(item)) return remove(item.client_key);
          // Nothing can be written here any more; its words are not lost.
          if (!(await copy(item.body))) return;
          toast(t("copied"));
          remove(item.client_key);
        },
      },
    ]);
  }

  /** @param {Waiting} item @param {import("../shell/socket.js").Ack} ack */
  async #sent(item, ack) {
    const waiting = this.row(item.client_key);
    if (!waiting) return;
    const known = view.element(ack.message, this.window.root);
    if (known || !this.window.isLive) {
      view.keepFocus(waiting, () => waiting.remove(), known ?? this.window.root);
      return;
    }
    // A repeated key, or an event that is on its way: the server's drawing is right in both cases.
    if (ack.repeated) {
      try {
        const article = await view.fetchArticle(this.window.conversation, ack.message, !!this.window.thread);
        view.keepFocus(waiting, () => waiting.replaceWith(article), article);
        scan();
      } catch (error) {
        explain(error);
      }
    }
  }
}
