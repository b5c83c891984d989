// @ts-check
/**
 * What a conversation is, and what the reader may do in it, changed elsewhere: it was archived or opened again, only
 * announcers post, a group became a channel, a role was given. Its head and its composers are drawn anew; what is being
 * written stays. Who comes or goes changes the head alone.
 */

import { request } from "../shell/api.js";
import { all, debounce, one } from "../shell/dom.js";
import { scan } from "../shell/mount.js";
import { listen } from "../shell/socket.js";
import { explain } from "../shell/toasts.js";
import { conversationUrl, threadUrl } from "./model.js";

/** What the page was drawn for, as its window of messages says it. @param {{kind: string, who_posts: string, takes_replies: boolean, archived_at: string | null, is_private: boolean}} conversation */
export const standingOf = ({ kind, who_posts, takes_replies, archived_at, is_private }) => [kind, who_posts, takes_replies, !!archived_at, is_private].join(" ");

const drawHead = debounce(async (/** @type {string} */ conversation) => {
  try {
    const fresh = await part(conversationAddress(conversation), "#main");
    if (openConversation() === conversation) swapTools(one("#main .bar .bar__tools"), one(".bar .bar__tools", fresh));
  } catch (error) {
    explain(error);
  }
}, 500);

listen("chat", (/** @type {import("../shell/socket.js").ChatEvent} */ { conversation, type }) => {
  if ((type === "member.joined" || type === "member.left") && openConversation() === conversation) drawHead(conversation);
});

/** The conversation of the main column. */
const openConversation = () => /** @type {HTMLElement | null} */ (document.querySelector("#main [data-stream]"))?.dataset.conversation;

/** Its page, of one topic where only that one is shown. @param {string} conversation */
function conversationAddress(conversation) {
  const topic = new URLSearchParams(location.search).get("topic");
  return `${conversationUrl(conversation)}${topic ? `?topic=${topic}` : ""}`;
}

/** @param {string} conversation */
export async function drawStanding(conversation) {
  const panel = /** @type {HTMLElement | null} */ (document.querySelector("[data-thread-panel]"));
  try {
    const fresh = await part(conversationAddress(conversation), "#main");
    const main = one("#main");
    const stream = /** @type {HTMLElement | null} */ (main.querySelector("[data-stream]"));
    if (stream?.dataset.conversation !== conversation) return; // another one is open by now
    const { standing, kind } = /** @type {HTMLElement} */ (one("[data-stream]", fresh)).dataset;
    Object.assign(stream.dataset, { standing, kind });
    for (const each of document.querySelectorAll("[data-stream]")) each.toggleAttribute("data-closed", one("[data-stream]", fresh).hasAttribute("data-closed"));
    main.toggleAttribute("data-may-moderate", fresh.hasAttribute("data-may-moderate"));
    for (const head of [".bar__title", ".bar__tools"]) swap(one(`.bar ${head}`, main), one(`.bar ${head}`, fresh));
    write(main, fresh);
    if (panel?.isConnected) write(panel, await part(threadUrl(conversation, panel.dataset.threadPanel ?? ""), "#panel"));
    scan();
  } catch (error) {
    explain(error);
  }
}

/** @param {string} address @param {string} selector @returns {Promise<HTMLElement>} */
async function part(address, selector) {
  const holder = document.createElement("template");
  const answer = await request("GET", address, { accept: "text/html", headers: { "HX-Request": "true", "HX-Target": "main#main" } });
  holder.innerHTML = await answer.text();
  return one(selector, holder.content);
}

/** @param {Element} old @param {Element} fresh */
function swap(old, fresh) {
  old.replaceWith(fresh);
  /** @type {any} */ (window).htmx.process(fresh);
}

/** The tools of the head; who has the keys on one keeps them there. @param {HTMLElement} old @param {HTMLElement} fresh */
function swapTools(old, fresh) {
  const address = old.contains(document.activeElement) ? document.activeElement?.getAttribute("href") : null;
  swap(old, fresh);
  if (address) all("a", fresh).find((link) => link.getAttribute("href") === address)?.focus();
}

/** The composer, or why nothing can be written; what stands in one is carried over. @param {HTMLElement} holder @param {HTMLElement} fresh */
function write(holder, fresh) {
  const old = /** @type {HTMLElement | null} */ (holder.querySelector(":scope > .composer"));
  const next = /** @type {HTMLElement | null} */ (fresh.querySelector(":scope > .composer"));
  const hadFocus = !!old?.contains(document.activeElement);
  for (const name of ["[data-text]", "[data-topic-field]"]) {
    const [from, to] = [old?.querySelector(name), next?.querySelector(name)].map((field) => /** @type {HTMLInputElement | null | undefined} */ (field));
    if (from?.value && to) to.value = from.value;
  }
  if (old && next) swap(old, next);
  else if (next) {
    holder.append(next);
    /** @type {any} */ (window).htmx.process(next);
  } else old?.remove();
  if (hadFocus) /** @type {HTMLElement | null | undefined} */ (next?.querySelector("[data-text]"))?.focus();
}
