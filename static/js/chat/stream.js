// @ts-check
/**
 * The window of messages. It opens at the first unread one, grows at both ends while the reader scrolls, follows the
 * newest only while the reader is at the bottom, and never moves the text that is being read.
 */

import { request } from "../shell/api.js";
import { all, icon, make, one } from "../shell/dom.js";
import { announce } from "../shell/live-region.js";
import { component, scan } from "../shell/mount.js";
import { page, t } from "../shell/page.js";
import { listen, socket } from "../shell/socket.js";
import { dayKey, dayName, written } from "../shell/times.js";
import { explain, later, toast } from "../shell/toasts.js";
import * as view from "./message-view.js";
import { Growing } from "./growing.js";
import { tidyTopics, topicChanged, topicHead, topicWent } from "./topics.js";
import { conversationUrl, threadUrl } from "./model.js";
import { Reading } from "./reading.js";
import { Redrawing } from "./redrawing.js";
import { drawStanding, standingOf } from "./standing.js";
import { WaitingRows } from "./waiting.js";

/** @typedef {import("./model.js").Message} Message */
/** @typedef {import("../shell/socket.js").ChatEvent} ChatEvent */

const NEAR_BOTTOM = 80;
/** What only the server can draw. */
const REDRAWN = new Set(["message.card_changed", "message.pin_changed", "message.acknowledged", "message.acknowledgement_withdrawn", "poll.changed", "message.previews_changed"]);

class Stream {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.conversation = root.dataset.conversation ?? "";
    this.thread = root.dataset.thread ?? null;
    /** @type {string | null} the one topic that is shown here; the general one by the conversation */
    this.place = root.dataset.place ?? null;
    this.missed = 0;
    /** @type {Set<string>} replies that were told, each of which counts once */
    this.replies = new Set();
    /** arrived, and not yet said by the live region */
    this.unsaid = 0;
    this.follows = false;
    this.jump = this.#jumpButton();
    /** @type {number} a reply further on mentions the reader: only its thread settles it */
    this.held = Number(root.dataset.held ?? Infinity);
    // At the bottom everything was seen that this window can show, the numbers of replies included.
    this.reading = new Reading(root, () => (this.isLive && this.isAtBottom && !this.thread ? Math.min(socket.sequence(this.conversation), this.held) : 0));
    this.redrawing = new Redrawing(this, (change) => this.#keepBottom(change), (article) => this.#redraw(article));
    this.growing = new Growing(root, () => this.reading.again());
    socket.learn(this.conversation, Number(root.dataset.head));
    this.ends = [
      listen("chat", (/** @type {ChatEvent} */ event) => event.conversation === this.conversation && this.#apply(event)),
      listen("notice", (/** @type {import("../shell/socket.js").Notice} */ notice) => this.#left(notice)),
      listen("resync", (/** @type {string | null} */ conversation) => conversation === this.conversation && this.#afterEdits(() => location.reload(), document.body)),
    ];
    this.waiting = new WaitingRows(this);
    this.#open();
    this.#catchUp(Number(root.dataset.head));
  }

  /** What the socket delivered while the server drew this window went to the one before it. @param {number} head */
  #catchUp(head) {
    const missed = socket.since(this.conversation, head);
    if (missed === null) this.#drawAgain();
    else for (const event of missed) this.#apply(event);
  }

  end() {
    for (const end of this.ends) end();
    this.waiting.end();
    this.redrawing.end();
    this.growing.end();
    this.reading.end();
  }

  get isLive() {
    return "newest" in this.root.dataset;
  }

  get isAtBottom() {
    return this.root.scrollHeight - this.root.scrollTop - this.root.clientHeight < NEAR_BOTTOM;
  }

  /** Where the reader starts: the message of the address, the unread line, or the newest. */
  #open() {
    const target = this.root.dataset.target;
    const place = target ? view.element(target, this.root) : this.root.querySelector("#unread");
    if (place instanceof HTMLElement) {
      place.scrollIntoView({ block: target ? "center" : "start" });
      if (target) place.focus({ preventScroll: true });
    } else {
      this.toNewest();
    }
    // Pictures come later and are taller than nothing.
    this.root.addEventListener("load", () => this.follows && this.toNewest(), true);
    this.root.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.follows = this.isLive && this.isAtBottom;
    this.reading.mark();
  }

  toNewest() {
    this.root.scrollTop = this.root.scrollHeight;
    this.follows = this.isLive;
  }

  #scrolled() {
    this.follows = this.isLive && this.isAtBottom;
    if (this.follows) this.missed = 0;
    this.jump.hidden = this.isLive && this.isAtBottom;
    this.#label();
    this.reading.mark();
  }

  #jumpButton() {
    const button = make("button", { class: "btn jump", type: "button", hidden: true, "data-jump-newest": true }, icon("down", "s"));
    button.append(make("span", {}, t("newest")));
    button.addEventListener("click", () => this.jumpToNewest());
    this.root.after(button);
    return button;
  }

  #label() {
    one("span", this.jump).textContent = this.missed ? t("news", { count: this.missed }) : t("newest");
  }

  async jumpToNewest() {
    if (!this.isLive && (this.#isBeingEdited() || !(await this.#drawNewest()))) return;
    this.missed = 0;
    this.toNewest();
    this.#scrolled();
  }

  /** @returns {Promise<boolean>} whether the newest messages stand here now, and no edit was begun meanwhile */
  async #drawNewest() {
    const heard = socket.sequence(this.conversation);
    try {
      const topic = !this.place ? "" : `?topic=${this.place === this.conversation ? "general" : this.place}`;
      const within = this.thread ? `?thread=${this.thread}` : topic;
      const answer = await request("GET", `${conversationUrl(this.conversation)}messages/${within}`, { accept: "text/html" });
      const drawn = document.createRange().createContextualFragment(await answer.text());
      if (this.root.querySelector("[data-edit]")) return false;
      // What a thread answers stays above its replies.
      const divider = this.root.querySelector(".divider[data-replies]");
      while (this.root.lastChild && this.root.lastChild !== divider) this.root.lastChild.remove();
      this.root.append(drawn);
    } catch (error) {
      explain(error);
      return false;
    }
    this.root.dataset.newest = "";
    // What came while the server drew was left aside, since the end did not stand here yet.
    for (const { type, data, sequence } of socket.since(this.conversation, heard) ?? []) {
      if (type === "message.sent" && data.message.thread === this.thread) this.#arrived(data.message, sequence);
    }
    this.waiting.draw();
    this.growing.watch();
    scan();
    this.reading.again();
    return true;
  }

  /** Too much happened to tell it: a thread and a place in the past are opened anew, the newest are drawn again. */
  #drawAgain() {
    const mustReload = this.thread || !this.isLive;
    this.#afterEdits(
      async () => {
        if (mustReload) location.reload();
        else if (await this.#drawNewest()) this.toNewest();
        else if (this.root.querySelector("[data-edit]")) this.#drawAgain(); // begun meanwhile
      },
      mustReload ? document.body : this.root,
    );
  }

  /** Do what would take an edit away once it has ended. @param {() => void} run @param {HTMLElement} [within] */
  #afterEdits(run, within = this.root) {
    if (within.querySelector("[data-edit]")) within.addEventListener("chat:edited", () => this.#afterEdits(run, within), { once: true });
    else run();
  }

  /** Change a row that is no more to be edited; what waited for the end of an edit goes on. @param {HTMLElement} article @param {() => void} change */
  #withoutEdit(article, change) {
    const form = article.querySelector("[data-edit]");
    change();
    if (form) this.root.dispatchEvent(new CustomEvent("chat:edited", { bubbles: true }));
  }

  /** Whether the reader edits here, who is led back to it then. */
  #isBeingEdited() {
    const field = this.root.querySelector("[data-edit] textarea");
    if (field instanceof HTMLElement) {
      toast(t("edit_open"));
      field.focus();
    }
    return !!field;
  }

  // Events

  /** @param {ChatEvent} event */
  #apply({ type, data, sequence }) {
    if (type === "message.sent" || type === "message.imported") return this.#arrived(data.message, sequence);
    if (type === "message.restored") {
      const back = view.element(data.message.id, this.root);
      if (back) this.#redraw(back);
      this.#recount(data.message.thread, 1);
      return;
    }
    if (type === "message.moved_in") return this.#arrived(data.message, sequence);
    if (type === "conversation.updated") return this.#renamed(data);
    if (type === "topic.changed") return topicChanged(this.conversation, data);
    if (type === "message.moved") {
      if (data.gone_name) topicWent(this.conversation, data.gone_name, data.target?.name ?? "");
      return this.#drawAgain();
    }
    if (type === "message.moved_away") {
      if (data.gone_name) topicWent(this.conversation, data.gone_name, "");
      for (const id of data.message_ids) {
        const gone = view.element(id, this.root);
        if (gone) this.#withoutEdit(gone, () => gone.remove());
      }
      tidyTopics(this.root);
      return;
    }
    if (type === "message.files_ended") {
      for (const id of data.message_ids) {
        const shown = view.element(id, this.root);
        if (shown) this.#redraw(shown);
      }
      return;
    }
    if (type === "message.erased") {
      for (const id of data.message_ids) {
        const shown = view.element(id, this.root);
        if (shown) this.#withoutEdit(shown, () => view.setErased(shown, data.person));
      }
      return;
    }
    if (type === "message.deleted" && !view.element(data.message_id, this.root)?.matches(".message--deleted")) this.#recount(data.thread, -1);
    const article = data.message_id ? view.element(data.message_id, this.root) : null;
    if (!article) return;
    if (type === "message.edited" && !article.querySelector("[data-card]")) {
      view.setText(article, data);
      view.markEdited(article);
      article.dataset.version = String(data.version);
    } else if (type === "message.deleted" && data.hidden_at) {
      this.#redraw(article);
    } else if (type === "message.deleted") {
      this.#withoutEdit(article, () => view.setDeleted(article));
    } else if (REDRAWN.has(type)) {
      this.#redraw(article);
    } else if (type === "reaction.added") {
      this.#keepBottom(() => view.addReaction(article, data.emoji, data.principal_id));
    } else if (type === "reaction.removed") {
      view.removeReaction(article, data.emoji, data.principal_id);
    }
  }

  /** @param {Message} message @param {number} sequence */
  #arrived(message, sequence) {
    message.sequence = sequence;
    if (message.thread && !this.thread) {
      const root = view.element(message.thread, this.root);
      if (root && !this.#counted(root, message)) this.#keepBottom(() => view.addReply(root, message));
      this.#hold(message);
      this.reading.mark();
      return;
    }
    if (message.thread !== this.thread) return;
    if (this.place && this.place !== (message.topic?.id ?? message.conversation)) return;
    const waiting = this.waiting.row(message.client_key);
    const known = view.element(message.id, this.root);
    if (this.thread && !known && !this.replies.has(message.id)) this.#countReplies();
    if (this.thread) this.replies.add(message.id);
    if (known || !this.isLive) {
      if (waiting) view.keepFocus(waiting, () => waiting.remove(), known ?? this.root);
      if (!this.isLive) this.#oneMore(message);
      return;
    }
    const wasFollowing = this.follows;
    const hadFocus = !!waiting?.contains(document.activeElement);
    waiting?.remove();
    const article = view.draw(message, { isMore: this.#isMore(message), inThread: !!this.thread });
    this.#place(article, message.sent_at, message.topic);
    if (hadFocus) article.focus({ preventScroll: true });
    if (message.card || message.priority || message.reactions.length || message.edited_at) this.#redraw(article);
    if (wasFollowing || message.sender.id === page.me?.id) {
      this.growing.trim("older");
      this.toNewest();
    } else this.#oneMore(message);
    this.reading.observer.observe(article);
    if (message.sender.id !== page.me?.id && document.visibilityState === "visible") this.#say();
    this.reading.mark();
  }

  /** @param {HTMLElement} root @param {Message} reply */
  #counted(root, reply) {
    const known = (root.dataset.replies ??= "").split(" ");
    if (known.includes(reply.id)) return true;
    root.dataset.replies += ` ${reply.id}`;
    return false;
  }

  /** A reply that mentions the reader waits until its thread is opened. @param {Message} message */
  #hold(message) {
    const isForMe = message.mentions.includes(page.me?.id ?? "") && message.sender.id !== page.me?.id;
    if (!isForMe || message.sequence > this.held || document.querySelector(`[data-thread-panel="${message.thread}"]`)) return;
    this.held = message.sequence - 1;
    this.root.parentElement?.querySelector("[data-open-thread]")?.remove();
    const link = make("a", { class: "btn jump jump--top", href: threadUrl(message.conversation, message.thread ?? ""), "data-open-thread": true }, icon("at", "s"), t("mentioned_in_thread"));
    this.root.after(link);
  }

  #say() {
    const name = this.#name();
    this.unsaid += 1;
    announce(() => {
      const count = this.unsaid;
      this.unsaid = 0;
      return t("news_in", { count, name });
    });
  }

  /** @param {Message} message */
  #oneMore(message) {
    if (message.sender.id === page.me?.id) return;
    this.missed += 1;
    this.jump.hidden = false;
    this.#label();
  }

  #name() {
    return document.querySelector("[data-conversation-name]")?.textContent ?? "";
  }

  /** @param {any} changed */
  #renamed(changed) {
    if (this.thread) return;
    const title = document.querySelector("[data-conversation-name]");
    if (changed.name && title) title.textContent = changed.name;
    const note = document.querySelector("[data-conversation-description]");
    if (note) note.textContent = changed.description;
    if (standingOf(changed) !== this.root.dataset.standing) void drawStanding(this.conversation);
  }

  /** @param {HTMLElement} article */
  #redraw(article) {
    this.#afterEdits(() => this.redrawing.draw(article), article);
  }

  /** @param {() => void} change */
  #keepBottom(change) {
    change();
    if (this.follows) this.toNewest();
  }

  /** @param {Message} message */
  #isMore(message) {
    const last = this.#last();
    if (last && !this.thread && last.dataset.topic !== (message.topic?.id ?? "")) return false;
    return view.continues(last, { sender: message.sender.id, sent: message.sent_at });
  }

  /** The newest stored message; what waits stands below it. */
  #last() {
    return all(".message[data-sequence]", this.root).filter((article) => !article.dataset.clientKey).at(-1) ?? null;
  }

  /** @param {HTMLElement} article @param {string} sent @param {Message["topic"]} topic */
  #place(article, sent, topic) {
    this.root.querySelector("[data-nothing]")?.remove();
    const last = this.#last();
    const day = dayKey(new Date(sent));
    const parts = [];
    if (!this.thread && (!last || dayKey(new Date(last.dataset.sent ?? "")) !== day)) {
      parts.push(make("div", { class: "divider", role: "separator", "data-day": day }, make("span", {}, dayName(new Date(sent)))));
    }
    const isMine = "mine" in article.dataset;
    if (!this.thread && !isMine && !this.root.querySelector("#unread") && (document.visibilityState !== "visible" || !this.follows)) {
      parts.push(make("div", { class: "divider divider--unread", role: "separator", id: "unread" }, make("span", {}, t("new_since", { since: written(new Date(sent), "time") }))));
    }
    if (!this.thread && !this.place && (last?.dataset.topic ?? "") !== (topic?.id ?? "")) parts.push(topicHead(this.conversation, topic));
    const below = this.root.querySelector(".message[data-client-key]");
    if (below) below.before(...parts, article);
    else this.root.append(...parts, article);
    for (const part of [...parts, article]) /** @type {any} */ (window).htmx.process(part);
  }

  /** A reply went or came back: below its message the server counts, in the thread the line above the replies does. @param {string | null | undefined} thread @param {number} step */
  #recount(thread, step) {
    if (!thread) return;
    if (this.thread === thread) return this.#countReplies(step);
    const root = view.element(thread, this.root);
    if (root) this.#redraw(root);
  }

  #countReplies(step = 1) {
    const divider = this.root.querySelector("[data-replies]");
    if (!(divider instanceof HTMLElement) || !divider.matches(".divider")) return;
    const count = Math.max(0, Number(divider.dataset.replies) + step);
    divider.dataset.replies = String(count);
    divider.hidden = !count;
    one("span", divider).textContent = t("replies", { count });
  }

  /** @param {import("../shell/socket.js").Notice} notice */
  #left({ type, data }) {
    const link = /** @type {HTMLAnchorElement | null | undefined} */ (this.root.parentElement?.querySelector("[data-open-thread]"));
    const isRead = data.last_read_sequence > this.held || (!!data.place && !!link?.href.includes(data.place) && data.place_sequence > this.held);
    if (type === "read.moved" && data.conversation === this.conversation && isRead) {
      this.held = Infinity;
      link?.remove();
      this.reading.mark();
    }
    // What the reader may do here may be another now; who was brought in reads on as a member.
    if (type === "access.changed" && !this.thread) void drawStanding(this.conversation);
    if (type === "conversation.added" && data.conversation === this.conversation && !("member" in this.root.dataset)) this.#afterEdits(() => location.reload(), document.body);
    if (type === "conversation.removed" && data.conversation === this.conversation && !this.thread) {
      // Who leaves is told so by the answer to the dialog.
      if (!document.querySelector('#dialog [formaction$="/leave/"]')) later(t("no_longer_in", { name: this.#name() }));
      location.assign(page.base ?? "/");
    }
  }
}

/** @type {Map<HTMLElement, Stream>} */
const streams = new Map();

/** The stream of the main column. */
export function mainStream() {
  return [...streams.values()].find((stream) => !stream.thread && stream.root.isConnected);
}

component("[data-stream]", (root) => {
  const stream = new Stream(root);
  streams.set(root, stream);
  stream.reading.again();
  return () => {
    stream.end();
    streams.delete(root);
  };
});
