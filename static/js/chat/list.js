// @ts-check
/** The conversation list keeps its counts from events; what it cannot count itself it asks the server to draw again. */

import { all, debounce, make, one } from "../shell/dom.js";
import { closeDrawers } from "../shell/drawer.js";
import { openMenu } from "../shell/menu.js";
import { component } from "../shell/mount.js";
import { page, t } from "../shell/page.js";
import { shortcut } from "../shell/shortcuts.js";
import { listen, socket } from "../shell/socket.js";
import { mainStream } from "./stream.js";

/** @param {string} conversation */
const entry = (conversation) => /** @type {HTMLAnchorElement | null} */ (document.getElementById(`conv-${conversation}`));

/** @returns {string | undefined} */
export const openConversation = () => /** @type {HTMLElement | null} */ (document.querySelector("#main [data-stream]"))?.dataset.conversation;

const refresh = debounce(() => {
  const list = document.getElementById("list");
  if (!list?.dataset.listUrl) return;
  const current = openConversation();
  /** @type {any} */ (window).htmx.ajax("GET", `${list.dataset.listUrl}${current ? `?current=${current}` : ""}`, { target: "#list", swap: "outerMorph" });
}, 400);

/** The list was asked for and did not come: it is asked for again with the next line. */
let isStale = false;

document.addEventListener("htmx:error", (event) => {
  if (/** @type {CustomEvent} */ (event).detail.ctx?.target?.id === "list") isStale = true;
});

/** Whether a draft lies in a conversation, as far as this window heard. @type {Map<string, boolean>} */
const drafting = new Map();

/** Replies may be news in a followed thread; the server knows, and is not asked for each. */
const later = debounce(refresh, 3000);

/** @param {HTMLElement} link @param {{unread: number, mentions: number}} counts */
function setCounts(link, { unread, mentions }) {
  link.dataset.unread = String(unread);
  link.dataset.mentions = String(mentions);
  link.classList.toggle("conv--unread", unread > 0 || mentions > 0);
  for (const old of all(".count, .conv__draft", link)) old.remove();
  const number = mentions || unread;
  if (number) {
    const words = mentions ? t("mentions", { count: mentions }) : t("unread");
    link.append(make("span", { class: mentions ? "count count--mention" : "count" }, number < 1000 ? String(number) : "999+", make("span", { class: "sr" }, ` ${words}`)));
  }
  total();
}

/** The number on the chat area, and before the window's title. */
function total() {
  const sum = all(".conv[data-mentions]").reduce((found, link) => found + Number(link.dataset.mentions), 0);
  for (const holder of all("[data-mentions]:not(.conv)")) {
    holder.replaceChildren(...(sum ? [make("span", { class: "count count--mention" }, String(sum), make("span", { class: "sr" }, ` ${t("mentions", { count: sum })}`))] : []));
  }
  document.title = document.title.replace(/^\(\d+\) /, "");
  if (sum) document.title = `(${sum}) ${document.title}`;
}

/** @param {import("../shell/socket.js").ChatEvent} event */
function applied({ conversation, sequence, type, data }) {
  const link = entry(conversation);
  if (!link) return refresh();
  link.dataset.sequence = String(sequence);
  const me = page.me?.id ?? "";
  if (type === "message.sent") {
    const message = data.message;
    toTop(link);
    if (message.thread && message.sender.id !== me) later();
    if (message.sender.id === me || sequence <= Number(link.dataset.read)) return;
    const mentionsMe = message.mentions.includes(me) || message.html.includes('data-principal=""');
    setCounts(link, { unread: Number(link.dataset.unread) + (isCounted(link, message) ? 1 : 0), mentions: Number(link.dataset.mentions) + (mentionsMe ? 1 : 0) });
    countTopic(link, message, mentionsMe);
  } else if (type === "conversation.updated" || type.startsWith("member.") || type.startsWith("topic.") || type.startsWith("message.moved")) {
    refresh();
  } else if (type === "message.restored") {
    refresh();
  } else if (type === "message.deleted" || type === "message.edited" || type === "message.erased") {
    // A mention counts also where nothing else does, and an edit may bring the first one.
    const counts = Number(link.dataset.unread) > 0 || Number(link.dataset.mentions) > 0;
    if (counts || data.newly_mentioned?.includes(me)) refresh();
  }
}

/** Direct conversations stand by what was said last. @param {HTMLElement} link */
function toTop(link) {
  const row = link.closest('[data-group="direct"] li');
  const first = document.querySelector('[data-group="direct"] > ul');
  if (!row || !first || row === first.firstElementChild) return;
  const older = row.closest("[data-older]");
  // What is under the hand or the keys must not slip away; what was folded is seen in any case.
  if (!older && document.getElementById("list")?.matches(":hover, :focus-within")) return;
  first.prepend(row);
  if (older) refresh(); // how many are left there
}

/** Whether a message counts here: not in a muted topic, and in a muted conversation only in a followed one. @param {HTMLElement} link @param {any} message */
function isCounted(link, message) {
  const topic = message.topic?.id ?? "none";
  if ((link.dataset.mutedTopics ?? "").includes(topic)) return false;
  return !("muted" in link.dataset) || (link.dataset.followedTopics ?? "").includes(topic);
}

/** The topics below the open channel. @param {HTMLElement} link @param {any} message @param {boolean} mentionsMe */
function countTopic(link, message, mentionsMe) {
  if (!message.topic || !link.matches("[aria-current]")) return;
  const entry = document.querySelector(`.conv--topic[data-topic="${message.topic.id}"]`);
  if (!(entry instanceof HTMLElement)) return refresh();
  const unread = Number(entry.dataset.unread) + 1;
  entry.dataset.unread = String(unread);
  if ("muted" in entry.dataset && !mentionsMe) return;
  entry.classList.add("conv--unread");
  for (const old of all(".count", entry)) if (!old.matches(".count--mention")) old.remove();
  if (!entry.querySelector(".count")) entry.append(make("span", { class: "count" }, String(unread), make("span", { class: "sr" }, ` ${t("unread")}`)));
}

/** @param {import("../shell/socket.js").Notice} notice */
function noticed({ type, data }) {
  if (type === "read.moved") {
    const link = entry(data.conversation);
    if (!link) return;
    link.dataset.read = String(data.last_read_sequence);
    // Counted before something that this window has already shown: the server counts again.
    if (data.counted_to < Number(link.dataset.sequence)) refresh();
    else setCounts(link, { unread: data.counted, mentions: data.mentions });
    if (document.querySelector(".conv--topic.conv--unread") && link.matches("[aria-current]")) refresh();
  } else if (type.startsWith("conversation.") || /^(thread|topic|reminder|schedule)\./.test(type) || (type === "notification.added" && data.kind === "chat.report")) {
    refresh();
  } else if (type === "draft.saved" && drafting.get(data.conversation) !== !!data.body) {
    drafting.set(data.conversation, !!data.body);
    refresh();
  }
}

component(".conv[data-conversation]", (link) => {
  const conversation = link.dataset.conversation ?? "";
  // A window of messages that shows less must still be told what comes next.
  if (!socket.sequence(conversation)) socket.learn(conversation, Number(link.dataset.sequence));
});

// The open conversation is not fetched again: files on their way and the place in the text would be lost.
document.addEventListener(
  "click",
  (event) => {
    const link = event.target instanceof Element ? event.target.closest(".conv[aria-current]") : null;
    const stream = mainStream();
    if (!(link instanceof HTMLAnchorElement) || !stream || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (link.pathname !== location.pathname) return;
    event.preventDefault();
    event.stopPropagation();
    closeDrawers();
    stream.jumpToNewest();
  },
  { capture: true },
);

/** Whether the reader unfolded the older conversations; the server draws the list folded. */
let unfolded = false;

component("[data-older]", (older) => {
  one("summary", older).addEventListener("click", () => {
    unfolded = !(/** @type {HTMLDetailsElement} */ (older).open);
  });
});

/** @param {boolean} isOpen */
function unfold(isOpen) {
  for (const older of /** @type {HTMLDetailsElement[]} */ (all("#list [data-older]"))) older.open = isOpen;
}

component("[data-jump]", (field) => {
  if (!(field instanceof HTMLInputElement)) return;
  const matching = () => {
    const needle = field.value.trim().toLocaleLowerCase();
    let isFirst = true;
    for (const link of all(".conv[data-name]")) {
      const fits = !needle || (link.dataset.name ?? "").toLocaleLowerCase().includes(needle);
      one("li:has(#" + CSS.escape(link.id) + ")").hidden = !fits;
      link.classList.toggle("is-active", !!needle && fits && isFirst);
      if (fits) isFirst = false;
    }
    unfold(!!needle || unfolded);
    for (const group of all("#list .list__group")) group.hidden = !!needle && !group.querySelector("li:not([hidden])");
  };
  field.addEventListener("input", matching);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      const chosen = document.querySelector(".conv.is-active");
      const start = document.querySelector("[data-new]");
      const name = field.value.trim();
      field.value = "";
      matching();
      if (chosen instanceof HTMLElement) chosen.click();
      // Nobody in the list: perhaps someone one has not written to yet.
      else if (name && start instanceof HTMLAnchorElement) location.assign(`${start.href}?q=${encodeURIComponent(name)}`);
    } else if (event.key === "Escape") {
      field.value = "";
      matching();
      field.blur();
    } else if (event.key === "ArrowDown") {
      event.preventDefault();
      all(".conv").find((link) => link.checkVisibility())?.focus();
    }
  });
});

component("#list", (list) => {
  list.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const links = all(".conv", list).filter((link) => link.checkVisibility());
    const now = links.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    if (now < 0) return;
    event.preventDefault();
    links[(now + (event.key === "ArrowDown" ? 1 : -1) + links.length) % links.length]?.focus();
  });
});

/** After the main column changed: the open conversation is the current one, and has no draft sign. */
function showCurrent() {
  const current = openConversation();
  for (const link of all(".conv[data-conversation]")) {
    // The list was drawn before something that has already been told.
    if (Number(link.dataset.sequence) < socket.sequence(link.dataset.conversation ?? "")) refresh();
    if (link.dataset.conversation === current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const topic = new URLSearchParams(location.search).get("topic");
  for (const link of all(".conv--topic")) {
    if (link.dataset.topic === topic) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  unfold(unfolded);
  // The topics of the open channel stand below it, and the server knows them.
  const list = document.getElementById("list");
  if (list && (list.dataset.current ?? "") !== (current ?? "")) refresh();
  total();
}

// The badge has a menu of its own: the pointer finds it there, keys in the dialog about the conversation.
document.addEventListener(
  "click",
  (event) => {
    const badge = event.target instanceof Element ? event.target.closest(".conv[data-conversation] .count") : null;
    const link = badge?.closest(".conv");
    if (!(badge instanceof HTMLElement) || !(link instanceof HTMLElement)) return;
    event.preventDefault();
    event.stopPropagation();
    const why = `${document.getElementById("list")?.dataset.whyUrl}?conversation=${link.dataset.conversation}`;
    openMenu(badge, t("badge"), [
      { label: t("badge.why"), icon: "info", run: () => /** @type {any} */ (window).htmx.ajax("GET", why, { target: "#dialog", swap: "innerHTML" }) },
      { label: t("badge.read"), icon: "check", run: () => socket.send({ frame: "read", conversation: link.dataset.conversation, sequence: Number(link.dataset.sequence) }) },
    ]);
  },
  { capture: true },
);

/** Go to the next conversation of the list, or the one before. @param {number} way @param {string} [which] */
function step(way, which = ".conv") {
  const links = all(".conv[data-conversation]").filter((link) => !link.closest("details:not([open])"));
  const now = links.findIndex((link) => link.matches("[aria-current]"));
  const ahead = way > 0 ? [...links.slice(now + 1), ...links.slice(0, Math.max(now, 0))] : [...links.slice(0, Math.max(now, 0)).reverse(), ...links.slice(now + 1).reverse()];
  const next = ahead.find((link) => link.matches(which));
  if (!next) return false;
  next.click();
}

/** @param {string} selector */
function press(selector) {
  const link = document.querySelector(selector);
  if (!(link instanceof HTMLElement)) return false;
  link.click();
}

export function setUpList() {
  listen("chat", applied);
  listen("notice", noticed);
  listen("membership", refresh);
  listen("open", () => {
    if (isStale) refresh();
    isStale = false;
  });
  listen("resync", refresh);
  document.addEventListener("htmx:after:swap", showCurrent);
  shortcut({ keys: "n", text: t("shortcut.next"), run: () => step(1, ".conv--unread") });
  shortcut({ keys: "N", text: t("shortcut.previous"), run: () => step(-1, ".conv--unread") });
  shortcut({ keys: "J", text: t("shortcut.below"), run: () => step(1) });
  shortcut({ keys: "K", text: t("shortcut.above"), run: () => step(-1) });
  for (const own of ["unread", "threads", "saved", "drafts"]) {
    shortcut({ keys: `g ${own[0]}`, text: t(`shortcut.own.${own}`), run: () => press(`[data-own="${own}"]`) });
  }
  shortcut({ keys: "x", text: t("shortcut.new"), run: () => press("[data-new]") });
  total();
}
