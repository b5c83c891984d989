// @ts-check
/** Sending later and being reminded: the dialogs, and what is told when a time has come. */

import { one } from "../shell/dom.js";
import { component } from "../shell/mount.js";
import { inOrganization, t } from "../shell/page.js";
import { listen } from "../shell/socket.js";
import { toast } from "../shell/toasts.js";
import { messageUrl } from "./model.js";

/** @typedef {{text: HTMLTextAreaElement, thread: string | null, empty: () => void, keep: {now: () => void}}} Writing */

/** @type {Writing | undefined} */
let writing;

/** Open the dialog with what stands in a composer. @param {Writing} composer @param {string} address */
export function sendLater(composer, address) {
  writing = composer;
  composer.keep.now(); // a save that is still to come could put the text back after it was planned
  /** @type {any} */ (window).htmx.ajax("GET", address, { target: "#dialog", swap: "innerHTML" });
}

component("[data-schedule-form]", (form) => {
  if (!(form instanceof HTMLFormElement) || !writing) return;
  const composer = writing;
  writing = undefined;
  /** @type {HTMLTextAreaElement} */ (one("[name=body]", form)).value = composer.text.value;
  /** @type {HTMLInputElement} */ (one("[name=thread]", form)).value = composer.thread ?? "";
  form.addEventListener("submit", () => {
    const leaving = () => composer.empty();
    window.addEventListener("pagehide", leaving, { once: true }); // refused, the dialog stays and so does the text
    window.setTimeout(() => window.removeEventListener("pagehide", leaving), 15_000);
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
