// @ts-check
/** A window of messages grows at both ends while the reader scrolls; the text that is being read stays where it is. */

import { request } from "../shell/api.js";
import { all } from "../shell/dom.js";
import { scan } from "../shell/mount.js";
import { explain } from "../shell/toasts.js";
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
    const top = this.root.getBoundingClientRect().top;
    const still = all(".message", this.root).find((article) => article.getBoundingClientRect().bottom > top);
    const before = still?.getBoundingClientRect().top ?? 0;
    if (link.dataset.more === "newer" && !holder.content.querySelector('[data-more="newer"]')) this.root.dataset.newest = "";
    const added = [...holder.content.children];
    link.replaceWith(holder.content);
    for (const element of added) /** @type {any} */ (window).htmx.process(element);
    this.#tidyDays();
    tidyTopics(this.root);
    if (still) this.root.scrollTop += still.getBoundingClientRect().top - before;
    this.watch();
    scan();
    this.grew();
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
