// @ts-check
/** One message in the page: drawn from the server's own partial, changed as events tell. */

import { all, clone, icon, make, one } from "../shell/dom.js";
import { inOrganization, page, size, t } from "../shell/page.js";
import { dayKey, written } from "../shell/times.js";
import { enhance } from "./enhance.js";
import { emojiSign, messageUrl, threadUrl } from "./model.js";

/** @typedef {import("./model.js").Message} Message */
/** @typedef {import("./model.js").Person} Person */
/** @typedef {import("./outbox.js").Waiting} Waiting */

const [MESSAGE, CONVERSATION, SENDER] = [0, 1, 2].map((id) => `00000000-0000-0000-0000-00000000000${id}`);
const PICTURES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"]);
const READABLE = new Set(["PDF", "DOCX", "XLSX", "TXT", "MD", "MARKDOWN", "HTML", "HTM", "CSV"]);
const GROUP = 5 * 60_000;

/** @param {string} id */
export const element = (id, /** @type {ParentNode} */ root = document) => /** @type {HTMLElement | null} */ (root.querySelector(`.message[data-message="${CSS.escape(id)}"]`));

/**
 * Whether a message goes on from the one above: the same sender, a moment later on the same day.
 * @param {Element | null} above
 * @param {{sender: string, sent: string}} message
 */
export function continues(above, { sender, sent }) {
  return (
    above instanceof HTMLElement &&
    above.matches(".message:not(.message--deleted)") &&
    above.dataset.sender === sender &&
    dayKey(new Date(above.dataset.sent ?? "")) === dayKey(new Date(sent)) &&
    Date.parse(sent) - Date.parse(above.dataset.sent ?? "") < GROUP
  );
}

/**
 * @param {Message} message
 * @param {{isMore: boolean, inThread: boolean}} place
 * @returns {HTMLElement}
 */
export function draw(message, { isMore, inThread }) {
  const article = skeleton(message.id, message.conversation, message.sender, { isMore, inThread, sent: message.sent_at });
  article.dataset.sequence = String(message.sequence);
  article.dataset.version = String(message.version);
  article.dataset.topic = message.topic?.id ?? "";
  if (message.thread) article.dataset.thread = message.thread;
  setText(article, message);
  if (message.attachments.length) setFiles(article, message.attachments);
  for (const reaction of message.reactions) for (const person of reaction.principals) addReaction(article, reaction.emoji, person);
  if (message.edited_at) markEdited(article);
  if (message.deleted_at) setDeleted(article);
  return article;
}

/**
 * A message that is still on its way.
 * @param {Waiting} item
 * @param {{isMore: boolean, inThread: boolean}} place
 */
export function drawWaiting(item, { isMore, inThread }) {
  const me = /** @type {{id: string, name: string}} */ (page.me);
  const own = one("[data-own-face]");
  const person = { id: me.id, name: me.name, kind: "person", initials: own.dataset.initials ?? "", tint: Number(own.dataset.tint), avatar: own.dataset.avatar || null };
  const article = skeleton(item.client_key, item.conversation, person, { isMore, inThread, sent: item.written_at });
  article.id = `w-${item.client_key}`;
  article.dataset.clientKey = item.client_key;
  article.querySelector(".message__acts")?.remove();
  const text = one(".message__text", article);
  text.append(...item.body.split(/\n\s*\n/).map((part) => make("p", {}, ...part.split("\n").flatMap((line, index) => (index ? [document.createElement("br"), line] : [line])))));
  if (item.attachments.length) setFiles(article, item.attachments);
  return article;
}

/**
 * @param {HTMLElement} article
 * @param {string} text
 * @param {Array<{label: string, run: () => void}>} [actions]
 */
export function setState(article, text, actions = []) {
  const hasFailed = actions.length > 0;
  article.classList.toggle("message--late", !hasFailed);
  article.classList.toggle("message--failed", hasFailed);
  article.querySelector(".message__state")?.remove();
  const state = make("span", { class: "message__state" }, icon(hasFailed ? "warn" : "clock", "s"), text);
  for (const { label, run } of actions) {
    const button = make("button", { class: "btn btn--quiet btn--small", type: "button" }, label);
    button.addEventListener("click", run);
    state.append(" ", button);
  }
  one(".message__body", article).append(state);
}

/**
 * @param {string} id
 * @param {string} conversation
 * @param {Person} sender
 * @param {{isMore: boolean, inThread: boolean, sent: string}} place
 */
function skeleton(id, conversation, sender, { isMore, inThread, sent }) {
  const template = inThread ? "thread-message-template" : isMore ? "message-more-template" : "message-template";
  const article = clone(template, { [MESSAGE]: id, [CONVERSATION]: conversation, [SENDER]: sender.id });
  article.dataset.sent = sent;
  if (sender.id === page.me?.id) article.dataset.mine = "";
  const name = article.querySelector(".message__name > span") ?? one("h3", article);
  name.textContent = sender.name;
  const face = /** @type {HTMLElement | null} */ (article.querySelector(":scope > .avatar"));
  if (face) setFace(face, sender);
  if (sender.kind !== "person") article.querySelector(".message__name")?.append(make("span", { class: "tag tag--accent" }, t("agent")));
  else if (sender.is_guest) article.querySelector(".message__name")?.append(make("span", { class: "tag" }, t("guest")));
  const time = one("time", article);
  time.setAttribute("datetime", sent);
  time.textContent = written(new Date(sent), "time");
  return article;
}

/** @param {HTMLElement} face @param {Person} person */
function setFace(face, person) {
  if (person.kind !== "person") {
    face.className = `${face.className} avatar--agent`;
    face.removeAttribute("data-tint");
    face.replaceChildren(icon("agent"));
  } else {
    face.dataset.tint = String(person.tint);
    face.replaceChildren(person.avatar ? make("img", { src: inOrganization(`files/${person.avatar}`), alt: "" }) : person.initials);
  }
}

/** @param {HTMLElement} article @param {{html: string, mentions: string[]}} content the server's sanitised HTML */
export function setText(article, { html, mentions }) {
  const text = one(".message__text", article);
  text.innerHTML = html;
  const me = page.me?.id ?? "";
  for (const mention of all(`.mention[data-principal="${me}"]`, text)) mention.classList.add("mention--me");
  article.classList.toggle("message--mention", mentions.includes(me) || !!text.querySelector('.mention[data-principal=""]'));
  enhance(text);
}

/** @param {HTMLElement} article @param {import("./model.js").Attachment[]} files */
function setFiles(article, files) {
  const shelf = make("div", { class: "message__files" });
  for (const file of files) {
    const isPicture = PICTURES.has(file.media_type);
    const item = clone(isPicture ? "picture-template" : "file-template", { [MESSAGE]: file.id });
    for (const link of all("a[download]", item)) link.setAttribute("download", file.name);
    if (isPicture) {
      one("img", item).setAttribute("alt", file.name);
    } else {
      one(".file__name", item).textContent = file.name;
      one(".file__name", item).title = file.name;
      const suffix = file.name.includes(".") ? file.name.split(".").pop()?.toUpperCase().slice(0, 8) ?? "" : "";
      if (!READABLE.has(suffix)) item.querySelector("[data-reading-state]")?.remove();
      one(".file__note", item).textContent = [suffix, size(file.size_bytes)].filter(Boolean).join(", ");
    }
    shelf.append(item);
  }
  one(".message__body", article).append(shelf);
}

/** @param {HTMLElement} article */
export function markEdited(article) {
  if (article.querySelector(".message__edited")) return;
  const link = `${one(".message__time", article).getAttribute("href")}history/`;
  one(".message__text", article).after(make("a", { class: "message__edited", href: link, "data-history": true }, t("edited")));
}

/**
 * Change a row; where the change takes away what has the focus, the row itself gets it.
 * @param {HTMLElement} article
 * @param {() => void} change
 * @param {HTMLElement} [after] what stands there afterwards
 */
export function keepFocus(article, change, after = article) {
  const hadFocus = article.contains(document.activeElement);
  change();
  if (hadFocus && !after.contains(document.activeElement)) after.focus({ preventScroll: true });
}

/** @param {HTMLElement} article */
export function setDeleted(article) {
  article.classList.remove("message--mention");
  article.classList.add("message--deleted");
  keepFocus(article, () => {
    article.querySelector(".message__acts")?.remove();
    // What others answered stays, and so does the way to it.
    const thread = article.querySelector(".thread-link");
    one(".message__body", article).replaceChildren(make("p", {}, t("deleted")), ...(thread ? [thread] : []));
  });
}

/**
 * The message is gone, and so is who wrote it.
 * @param {HTMLElement} article
 * @param {Person | null} person who stands there now; null leaves the sender
 */
export function setErased(article, person) {
  setDeleted(article);
  if (!person) return;
  article.dataset.sender = person.id;
  delete article.dataset.mine;
  const name = article.querySelector(".message__name > span") ?? article.querySelector("h3");
  if (name) name.textContent = person.name;
  const face = /** @type {HTMLElement | null} */ (article.querySelector(":scope > .avatar"));
  if (face) setFace(face, person);
}

/** @param {HTMLElement} article @param {string} emoji @param {string} person */
export function addReaction(article, emoji, person) {
  const found = reaction(article, emoji);
  if (found) return setPeople(found, [...people(found).filter((id) => id !== person), person]);
  let row = article.querySelector(".reactions");
  if (!row) {
    row = make("div", { class: "reactions" });
    const thread = article.querySelector(".thread-link");
    if (thread) thread.before(row);
    else one(".message__body", article).append(row);
  }
  const link = one(".message__time", article).getAttribute("href");
  const button = make("button", { class: "reaction", type: "submit", form: "post", formaction: `${link}react/`, name: "emoji", value: emoji });
  row.append(button);
  setPeople(button, [person]);
}

/** @param {HTMLElement} article @param {string} emoji @param {string} person */
export function removeReaction(article, emoji, person) {
  const found = reaction(article, emoji);
  if (found) keepFocus(article, () => setPeople(found, people(found).filter((id) => id !== person)));
}

/** @param {HTMLElement} article @param {string} emoji */
const reaction = (article, emoji) => /** @type {HTMLButtonElement | undefined} */ (all(".reaction", article).find((each) => /** @type {HTMLButtonElement} */ (each).value === emoji));

/** @param {HTMLElement} button */
const people = (button) => (button.dataset.people ?? "").split(" ").filter(Boolean);

/** @param {HTMLButtonElement} button @param {string[]} ids */
function setPeople(button, ids) {
  if (!ids.length) {
    const row = button.parentElement;
    button.remove();
    if (row && !row.childElementCount) row.remove();
    return;
  }
  button.dataset.people = ids.join(" ");
  button.setAttribute("aria-pressed", String(ids.includes(page.me?.id ?? "")));
  button.setAttribute("aria-label", `${button.value}, ${ids.length}`);
  button.removeAttribute("title"); // who it was: asked again when it is looked at
  delete button.dataset.named;
  button.replaceChildren(make("span", { "aria-hidden": "true" }, emojiSign(button.value)), String(ids.length));
}

/**
 * One more reply under a message.
 * @param {HTMLElement} article
 * @param {Message} reply
 */
export function addReply(article, reply) {
  let link = /** @type {HTMLElement | null} */ (article.querySelector(".thread-link"));
  if (!link) {
    link = make("a", { class: "thread-link", href: threadUrl(reply.conversation, article.dataset.message ?? ""), "data-act": "thread", "data-count": 0, "data-people": "" }, make("span", { class: "avatar-row" }), make("b"), make("span"));
    one(".message__body", article).append(link);
  }
  const count = Number(link.dataset.count) + 1;
  link.dataset.count = String(count);
  one("b", link).textContent = t("replies", { count });
  const time = make("time", { datetime: reply.sent_at, "data-form": "stamp" }, written(new Date(reply.sent_at), "stamp"));
  one(":scope > span:last-of-type", link).replaceChildren(t("last"), " ", time);
  const ids = (link.dataset.people ?? "").split(" ").filter(Boolean);
  if (!ids.includes(reply.sender.id)) {
    link.dataset.people = [...ids, reply.sender.id].join(" ");
    const face = make("span", { class: "avatar avatar--xs", "aria-hidden": "true" });
    setFace(face, reply.sender);
    const row = one(".avatar-row", link);
    row.append(face);
    if (row.childElementCount > 3) row.firstElementChild?.remove();
  }
}

/**
 * The message as the server draws it, for what only the server can draw.
 * @param {string} conversation @param {string} message @param {boolean} inThread @param {boolean} [isMore] it goes on from the one above
 */
export async function fetchArticle(conversation, message, inThread, isMore = false) {
  const { request } = await import("../shell/api.js");
  const answer = await request("GET", `${messageUrl(conversation, message)}fragment/?${inThread ? "thread=1" : ""}${isMore ? "&more=1" : ""}`, { accept: "text/html" });
  const holder = document.createElement("template");
  holder.innerHTML = await answer.text();
  return /** @type {HTMLElement} */ (one("article", holder.content));
}
