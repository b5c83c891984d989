// @ts-check
/**
 * A window of messages grows at both ends while the reader scrolls, and is cut at the far end when it holds too much, so
 * that it stays quick however far one reads and however long it stays open. The text that is being read stays where it is.
 */

import { request } from "../shell/api.js";
import { all, make } from "../shell/dom.js";
import { scan } from "../shell/mount.js";
import { t } from "../shell/page.js";
import { explain } from "../shell/toasts.js";
import { conversationUrl } from "./model.js";
import { tidyTopics } from "./topics.js";

const AHEAD = "800px 0px";

export class Growing {
  /** @param {HTMLElement} root @param {() => void} grew */
  constructor(root, grew) {
    this.root = root;
    this.grew = grew;
    this.observer = new IntersectionObserver(
      (entries) => {
        for (const { isIntersecting, target } of entries) if (isIntersecting) this.#grow(/** @type {HTMLAnchorElement} */ (target));
      },
      { root, rootMargin: AHEAD },
    );
    root.addEventListener("click", (event) => {
      const link = event.target instanceof Element ? event.target.closest("[data-more]") : null;
      if (!(link instanceof HTMLAnchorElement)) return;
      event.preventDefault();
      this.#grow(link);
    });
    this.watch();
  }

  watch() {
    this.observer.disconnect();
    for (const link of all("[data-more]", this.root)) this.observer.observe(link);
  }

  end() {
    this.observer.disconnect();
  }

  /** @param {HTMLAnchorElement} link */
  async #grow(link) {
    if (link.dataset.busy) return;
    link.dataset.busy = "1";
    const holder = document.createElement("template");
    try {
      holder.innerHTML = await (await request("GET", link.href, { accept: "text/html" })).text();
    } catch (error) {
      delete link.dataset.busy;
      explain(error);
      return;
    }
    if (!link.isConnected) return; // all was drawn anew meanwhile
    for (const article of all(".message", holder.content)) this.root.querySelector(`#${CSS.escape(article.id)}`)?.remove();
    if (link.dataset.more === "newer" && !holder.content.querySelector('[data-more="newer"]')) this.root.dataset.newest = "";
    const added = [...holder.content.children];
    this.#still(() => {
      link.replaceWith(holder.content);
      for (const element of added) /** @type {any} */ (window).htmx.process(element);
      this.#tidyDays();
      tidyTopics(this.root);
    });
    this.trim(link.dataset.more === "newer" ? "older" : "newer");
    this.watch();
    scan();
    this.grew();
  }

  /** Cut what is far from the reader at one end, where the window holds too much. @param {"older" | "newer"} end */
  trim(end) {
    const most = Number(this.root.dataset.most);
    const rows = all(".message[data-sequence]:not([data-client-key])", this.root);
    const kept = Math.round((most * 2) / 3);
    if (!(rows.length > most)) return;
    const [first, last] = end === "older" ? [rows[rows.length - kept], null] : [null, rows[kept - 1]];
    if (this.#isNear(end === "older" ? rows.slice(0, -kept) : rows.slice(kept), end)) return;
    this.#still(() => (first ? this.#cutAbove(first) : last && this.#cutBelow(last)));
    this.watch();
  }

  /** Whether the reader sees some of these rows, or will in a moment, or does something in them. @param {HTMLElement[]} rows @param {"older" | "newer"} end */
  #isNear(rows, end) {
    const window = this.root.getBoundingClientRect();
    const [above, below] = [rows.at(-1), rows[0]].map((row) => /** @type {HTMLElement} */ (row).getBoundingClientRect());
    const isClose = end === "older" ? above.bottom > window.top - window.height : below.top < window.bottom + window.height;
    return isClose || rows.some((row) => row.contains(document.activeElement) || !!row.querySelector("[data-edit]"));
  }

  /** @param {HTMLElement} first */
  #cutAbove(first) {
    // What a thread answers stays above its replies.
    const begin = this.root.querySelector(":scope > .divider[data-replies]");
    /** @type {Record<string, Element>} the day and the topic that the first row stands in */
    const heads = {};
    for (let node = begin ? begin.nextSibling : this.root.firstChild; node && node !== first; ) {
      const gone = node;
      node = node.nextSibling;
      gone.remove();
      if (gone instanceof Element && gone.matches(".divider[data-day]")) heads.day = gone;
      if (gone instanceof Element && gone.matches(".topic")) heads.topic = gone;
    }
    first.before(this.#more("older", first), ...[heads.day, heads.topic].filter(Boolean));
  }

  /** @param {HTMLElement} last */
  #cutBelow(last) {
    while (last.nextSibling) last.nextSibling.remove();
    delete this.root.dataset.newest;
    last.after(this.#more("newer", last));
  }

  /** The way to what was cut. @param {"older" | "newer"} end @param {HTMLElement} row the last one that stands there */
  #more(end, row) {
    const { conversation = "", thread, place } = this.root.dataset;
    const asked = new URLSearchParams({ [end === "older" ? "before" : "after"]: row.dataset.message ?? "" });
    if (place) asked.set("topic", place === conversation ? "general" : place);
    if (thread) asked.set("thread", thread);
    return make("a", { class: "stream__more", href: `${conversationUrl(conversation)}messages/?${asked}`, "data-more": end }, t(end));
  }

  /** Change what stands above or below what is being read, which stays where it is. @param {() => void} change */
  #still(change) {
    const top = this.root.getBoundingClientRect().top;
    const still = all(".message", this.root).find((article) => article.getBoundingClientRect().bottom > top);
    const before = still?.getBoundingClientRect().top ?? 0;
    change();
    if (still?.isConnected) this.root.scrollTop += still.getBoundingClientRect().top - before;
  }

  /** A day has one divider: where two windows meet there may be two. */
  #tidyDays() {
    let last = "";
    for (const divider of all(".divider[data-day]", this.root)) {
      if (divider.dataset.day === last) divider.remove();
      last = divider.dataset.day ?? "";
    }
  }
}
