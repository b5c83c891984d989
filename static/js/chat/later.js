// @ts-check
/** Sending later and being reminded: the dialogs, and what is told when a time has come. */

import { one } from "../shell/dom.js";
import { component } from "../shell/mount.js";
import { inOrganization, t } from "../shell/page.js";
import { listen } from "../shell/socket.js";
import { toast } from "../shell/toasts.js";
import { messageUrl } from "./model.js";

/**
 * @typedef {{
 *   text: HTMLTextAreaElement, topic: string, thread: string | null, priority: HTMLSelectElement,
 *   uploads: import("./upload.js").Uploads, empty: () => void, keep: {now: () => void},
 * }} Writing
 */

/** What the dialog at an address began with, also while its form comes back with what is wrong. @type {{composer: Writing, address: string, isFilled: boolean} | undefined} */
let writing;

/** Open the dialog with what stands in a composer. @param {Writing} composer @param {string} address */
export function sendLater(composer, address) {
  writing = { composer, address, isFilled: false };
  composer.keep.now(); // a save that is still to come could put the text back after it was planned
  const set = new URLSearchParams({ topic: composer.topic, thread: composer.thread ?? "", priority: composer.priority.value });
  for (const { id } of composer.uploads.files) set.append("attachments", id);
  /** @type {any} */ (window).htmx.ajax("GET", `${address}?${set}`, { target: "#dialog", swap: "innerHTML" });
}

component("[data-schedule-form]", (form) => {
  if (!writing || writing.address !== form.getAttribute("hx-post")) return;
  const { composer } = writing;
  if (!writing.isFilled) /** @type {HTMLTextAreaElement} */ (one("[name=body]", form)).value = composer.text.value;
  writing.isFilled = true;
  form.addEventListener("htmx:before:response", (event) => {
    const { ctx } = /** @type {CustomEvent} */ (event).detail;
    if (ctx.response.status === 204) composer.empty(); // refused, the form comes back and everything stays
  });
});

component("[data-fill]", (button) => {
  button.addEventListener("click", () => {
    const field = document.getElementById(button.dataset.fill ?? "");
    if (field instanceof HTMLInputElement) field.value = button.dataset.value ?? "";
  });
});

listen("notice", (/** @type {import("../shell/socket.js").Notice} */ { type, data }) => {
  if (type === "schedule.changed" && data.state === "failed") {
    toast(t("schedule_failed"), { bad: true, action: { label: t("show"), run: () => location.assign(inOrganization("scheduled/")) } });
  } else if (type === "reminder.due") {
    const address = data.message_id ? messageUrl(data.conversation, data.message_id) : inOrganization("reminders/");
    toast(data.note ? t("reminder_of", { note: data.note }) : t("reminder"), { action: { label: t("show"), run: () => location.assign(address) } });
  }
});
