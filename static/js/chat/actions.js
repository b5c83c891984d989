// @ts-check
/** What is done with a message: react, reply, edit, delete, copy; by pointer, by long press and by keys. */

import { Problem, request } from "../shell/api.js";
import { copy } from "../shell/clipboard.js";
import { all, clone, isField, one } from "../shell/dom.js";
import { announce } from "../shell/live-region.js";
import { openMenu } from "../shell/menu.js";
import { t } from "../shell/page.js";
import { shortcut } from "../shell/shortcuts.js";
import { explain, toast } from "../shell/toasts.js";
import { sendMeant } from "./calling-many.js";
import { pickEmoji } from "./emoji.js";
import { composerOf, mainComposer } from "./composer.js";
import { openThread } from "./thread.js";
import { element } from "./message-view.js";
import { mainStream } from "./stream.js";

const LONG_PRESS = 500;

/** @param {Element} article */
const linkOf = (article) => one(".message__time", article).getAttribute("href") ?? "";

/** @param {string} path @param {Record<string, string>} [form] */
async function act(path, form = {}) {
  try {
    await request("POST", path, { form });
    return true;
  } catch (error) {
    explain(error);
    return false;
  }
}

/** @param {HTMLElement} article @param {string} emoji */
const react = (article, emoji) => act(`${linkOf(article)}react/`, { emoji });

/** Of one topic where only that one is shown. @param {HTMLElement} article */
const unreadFrom = (article) => void act(`${linkOf(article)}unread/`, article.closest("[data-place]") ? { only_topic: "1" } : {});

/** Where one only reads: the channel is archived, or one is not in it. @param {Element} article */
const isClosed = (article) => !!article.closest("[data-closed]");

/** The files of a message, which everyone there may find again among the bookmarks. @param {HTMLElement} article */
const filesOf = (article) => all(".message__files > [data-attachment]", article).map((file) => ({
  id: file.dataset.attachment ?? "",
  name: file.querySelector(".file__name")?.textContent ?? file.querySelector("img")?.alt ?? "",
}));

/** @param {HTMLElement} article */
const mayDelete = (article) => "mine" in article.dataset || !!document.querySelector("[data-may-moderate]");

/** @param {HTMLElement} article @param {HTMLElement} button */
function openActions(article, button) {
  const link = linkOf(article);
  const isMine = "mine" in article.dataset;
  const thread = /** @type {HTMLAnchorElement | null} */ (article.querySelector('[data-act="thread"]'));
  const isOpen = !isClosed(article);
  const isSaved = savedState(link);
  const isPinned = !!article.querySelector('.message__marks use[href$="#pin"]');
  openMenu(button, t("menu"), [
    ...(thread ? [{ label: t("menu.reply"), icon: "reply", key: "r", run: () => openThread(thread.href) }] : []),
    ...(composerOf(article) ? [{ label: t("menu.quote"), icon: "quote", run: () => quote(link, article) }] : []),
    { label: t("menu.forward"), icon: "right", run: () => dialogFor(`${link}forward/`) },
    { label: t("menu.remind"), icon: "bell", run: () => dialogFor(`${link}remind/`) },
    { label: t("menu.save"), later: isSaved.then((known) => t(known ? "menu.unsave" : "menu.save")), icon: "bookmark", run: () => save(link, isSaved) },
    ...(isOpen ? [{ label: t(isPinned ? "menu.unpin" : "menu.pin"), icon: "pin", run: () => act(`${link}pin/`, { is_pinned: isPinned ? "0" : "1" }) }] : []),
    ...(isOpen ? filesOf(article).map(({ id, name }) => ({ label: t("menu.at_hand", { name }), icon: "link", run: () => atHand(`${link}files/${id}/bookmark/`) })) : []),
    ...(isOpen && isMine && !article.querySelector("[data-card]") ? [{ label: t("menu.edit"), icon: "edit", key: "e", run: () => edit(article) }] : []),
    { label: t("menu.link"), icon: "link", run: () => copyAnd(new URL(link, location.href).href, t("link_copied")) },
    { label: t("menu.text"), icon: "copy", run: () => copyAnd(one(".message__text", article).innerText, t("copied")) },
    ...(article.closest("[data-member]") ? [{ label: t("menu.unread"), icon: "inbox", key: "u", run: () => unreadFrom(article) }] : []),
    ...(isOpen && (isMine || document.querySelector("[data-may-moderate]")) && article.closest('#main [data-kind="channel"]') ? [{ label: t("menu.move"), icon: "flow", run: () => dialogFor(`${link}move/`) }] : []),
    ...(article.querySelector(".reaction") ? [{ label: t("menu.reacted"), icon: "smile", run: () => dialogFor(`${link}reactions/`) }] : []),
    ...(article.querySelector("[data-history]") ? [{ label: t("menu.history"), icon: "clock", run: () => dialogFor(`${link}history/`) }] : []),
    ...(isMine ? [] : [{ label: t("menu.report"), icon: "warn", run: () => dialogFor(`${link}report/`) }]),
    ...(mayDelete(article) ? [{ label: t("menu.delete"), icon: "trash", bad: true, line: true, run: () => dialogFor(`${link}delete/`) }] : []),
  ]);
}

/** @param {string} path */
function dialogFor(path) {
  /** @type {any} */ (window).htmx.ajax("GET", path, { target: "#dialog", swap: "innerHTML" });
}

/** Put a message into the composer beside it, as a quotation. @param {string} link @param {HTMLElement} article */
async function quote(link, article) {
  try {
    const { text } = await (await request("GET", `${link}quote/`)).json();
    composerOf(article)?.insertBlock(text);
  } catch (error) {
    explain(error);
  }
}

/** @param {string} path */
async function atHand(path) {
  if (await act(path)) toast(t("bookmarked"));
}

/** Whether the reader saved a message; where nobody answers, saving it says why. @param {string} link @returns {Promise<boolean>} */
async function savedState(link) {
  try {
    return (await (await request("GET", `${link}save/`)).json()).is_saved;
  } catch (error) {
    if (error instanceof Problem) return false;
    throw error;
  }
}

/** Save a message, or take it out where it is saved. @param {string} link @param {Promise<boolean>} isSaved */
async function save(link, isSaved) {
  const [wanted, before] = (await isSaved) ? ["0", "1"] : ["1", "0"];
  const undo = () => void act(`${link}save/`, { is_saved: before });
  if (await act(`${link}save/`, { is_saved: wanted })) toast(t(wanted === "1" ? "saved" : "unsaved"), { action: { label: t("undo"), run: undo } });
}

/** @param {string} text @param {string} said */
async function copyAnd(text, said) {
  if (await copy(text)) toast(said);
}

/** Edit in place; the text comes from the server, because the page has only what Markdown made of it. @param {HTMLElement} article */
async function edit(article) {
  const stream = article.closest("[data-stream]");
  const link = linkOf(article);
  let body = "";
  let version = "";
  try {
    const holder = document.createElement("template");
    holder.innerHTML = await (await request("GET", `${link}edit/`, { headers: { "HX-Request": "true" } })).text();
    body = /** @type {HTMLTextAreaElement} */ (one("textarea", holder.content)).value.replace(/^\n/, "");
    version = /** @type {HTMLInputElement} */ (one("[name=version]", holder.content)).value;
  } catch (error) {
    explain(error);
    return;
  }
  // It may have been drawn anew meanwhile, or have gone.
  const row = article.isConnected || !stream ? article : element(article.dataset.message ?? "", stream);
  if (!row || row.querySelector("[data-edit]") || row.matches(".message--deleted")) return;
  const form = /** @type {HTMLFormElement} */ (clone("edit-template"));
  const field = /** @type {HTMLTextAreaElement} */ (one("textarea", form));
  const text = one(".message__text", row);
  const close = () => {
    form.remove();
    text.hidden = false;
    row.focus();
    row.dispatchEvent(new CustomEvent("chat:edited", { bubbles: true }));
  };
  field.value = body;
  text.hidden = true;
  text.after(form);
  field.focus();
  field.setSelectionRange(body.length, body.length);
  one("[data-cancel]", form).addEventListener("click", close);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.preventDefault();
      close();
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  let isSaving = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isSaving) return; // pressed again on a slow line: the second one would find the text changed
    isSaving = true;
    try {
      if (await sendMeant(`${link}edit/`, { body: field.value, version })) close();
    } catch (error) {
      explain(error);
      // Changed on another device meanwhile, which was said: whoever saves once more means it.
      if (error instanceof Problem && error.code === "chat.version_conflict") version = row.dataset.version ?? version;
    } finally {
      isSaving = false;
    }
  });
}

document.addEventListener("chat:edit", (event) => edit(/** @type {HTMLElement} */ (event.target)));

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (!target || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const article = /** @type {HTMLElement | null} */ (target.closest(".message"));
  const reaction = target.closest(".reaction");
  if (reaction instanceof HTMLButtonElement && article) {
    event.preventDefault();
    react(article, reaction.value);
    return;
  }
  const button = target.closest("[data-act]");
  if (!(button instanceof HTMLAnchorElement) || !article) return;
  event.preventDefault();
  if (button.dataset.act === "react") pickEmoji(button, (emoji) => react(article, emoji), true);
  else if (button.dataset.act === "thread") openThread(button.href);
  else openActions(article, button);
});

document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("[data-open-thread]") : null;
  if (!(link instanceof HTMLAnchorElement) || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  openThread(link.href);
});

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-acknowledge], [data-post]") : null;
  if (!(button instanceof HTMLButtonElement)) return;
  event.preventDefault();
  act(button.formAction, button.name ? { [button.name]: button.value } : {});
});

document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("[data-history], .message [data-dialog]") : null;
  if (!(link instanceof HTMLAnchorElement)) return;
  event.preventDefault();
  dialogFor(link.href);
});

// A channel that a text names opens here; of an address elsewhere the sanitiser made one for another window.
document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest(".message__text a[data-conversation]") : null;
  if (!(link instanceof HTMLAnchorElement) || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const listed = document.getElementById(`conv-${link.dataset.conversation}`);
  if (listed) listed.click();
  else location.assign(link.href);
});

/** @param {string} path */
async function bringBack(path) {
  if (await act(path)) announce(t("restored"));
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !("delete" in form.dataset)) return;
  event.preventDefault();
  if (await act(form.action)) {
    /** @type {HTMLDialogElement} */ (one("#dialog")).close();
    // The button that had the focus went with the message where that was told sooner.
    const message = form.action.split("/").at(-3) ?? "";
    if (!document.activeElement?.closest(".message")) element(message)?.focus();
    const restore = form.dataset.delete ? { label: t("undo"), run: () => bringBack(form.dataset.delete ?? "") } : undefined;
    toast(t("deleted_done"), { action: restore });
  }
});

// A long press is the menu of fingers.
let pressing = 0;
document.addEventListener("touchstart", (event) => {
  const article = event.target instanceof Element ? event.target.closest(".message") : null;
  if (!(article instanceof HTMLElement)) return;
  pressing = window.setTimeout(() => {
    const button = article.querySelector('[data-act="more"]');
    article.focus();
    if (button instanceof HTMLElement) openActions(article, button);
  }, LONG_PRESS);
}, { passive: true });
for (const name of ["touchend", "touchmove", "touchcancel"]) document.addEventListener(name, () => clearTimeout(pressing), { passive: true });

// Keys reach the row as a whole: it says author, text and time. Done at the first focus, so that no page carries the ids.
document.addEventListener("focusin", (event) => {
  const article = event.target;
  if (!(article instanceof HTMLElement) || !article.matches(".message") || article.hasAttribute("aria-labelledby")) return;
  const parts = [one("h3", article), one(".message__body", article), one(".message__time", article)];
  for (const [index, part] of parts.entries()) part.id ||= `${article.id}-${index}`;
  article.setAttribute("aria-labelledby", parts.map((part) => part.id).join(" "));
});

/** The message that keys act on: the one with the focus, or the last one on screen. */
function current() {
  const focused = document.activeElement?.closest(".message");
  return focused instanceof HTMLElement ? focused : null;
}

/** @param {number} step */
function move(step) {
  const stream = document.activeElement?.closest("[data-stream]") ?? mainStream()?.root;
  if (!stream) return false;
  const articles = all(".message", stream);
  const now = current();
  const bottom = stream.getBoundingClientRect().bottom;
  const last = articles.findLast((article) => article.getBoundingClientRect().top < bottom);
  const next = now ? articles[articles.indexOf(now) + step] : last;
  next?.focus();
}

/** @param {(article: HTMLElement) => void} run */
const onCurrent = (run) => () => {
  const article = current();
  if (!article) return false;
  run(article);
};

/** @param {HTMLElement} article @param {string} name */
const press = (article, name) => /** @type {HTMLElement | null} */ (article.querySelector(`[data-act="${name}"]`))?.click();

export function setUpActions() {
  shortcut({ keys: "c", text: t("shortcut.write"), run: () => (mainComposer() ? mainComposer()?.text.focus() : false) });
  shortcut({ keys: "j", text: t("shortcut.down"), run: () => move(1) });
  shortcut({ keys: "k", text: t("shortcut.up"), run: () => move(-1) });
  shortcut({ keys: "r", text: t("shortcut.reply"), run: onCurrent((article) => press(article, "thread")) });
  shortcut({ keys: "e", text: t("shortcut.edit"), run: onCurrent((article) => ("mine" in article.dataset && !isClosed(article) ? edit(article) : undefined)) });
  shortcut({ keys: "+", text: t("shortcut.react"), run: onCurrent((article) => (isClosed(article) ? undefined : press(article, "react"))) });
  shortcut({ keys: "q", text: t("shortcut.quote"), run: onCurrent((article) => void quote(linkOf(article), article)) });
  shortcut({ keys: "f", text: t("shortcut.forward"), run: onCurrent((article) => dialogFor(`${linkOf(article)}forward/`)) });
  shortcut({ keys: "s", text: t("shortcut.save"), run: onCurrent((article) => void save(linkOf(article))) });
  shortcut({ keys: "Delete", text: t("shortcut.delete"), run: onCurrent((article) => (mayDelete(article) ? dialogFor(`${linkOf(article)}delete/`) : undefined)) });
  shortcut({ keys: "u", text: t("shortcut.unread"), run: onCurrent(unreadFrom) });
  shortcut({ keys: "End", text: t("shortcut.newest"), run: () => void mainStream()?.jumpToNewest() });
  document.addEventListener("keydown", (event) => {
    if (isField(event.target) || event.key !== "Enter" || document.activeElement !== current()) return;
    const button = current()?.querySelector('[data-act="more"]');
    if (!(button instanceof HTMLElement)) return;
    event.preventDefault(); // or the same key presses the first item, which has the focus by then
    openActions(/** @type {HTMLElement} */ (current()), button);
  });
}
