// @ts-check
/** Following a thread, and telling the server how far it was seen: an open panel that is looked at settles its replies. */

import { request } from "../shell/api.js";
import { one, throttle } from "../shell/dom.js";
import { component } from "../shell/mount.js";
import { t } from "../shell/page.js";
import { listen, socket } from "../shell/socket.js";
import { threadUrl } from "./model.js";

component("[data-thread-panel]", (panel) => {
  const thread = panel.dataset.threadPanel ?? "";
  const stream = /** @type {HTMLElement} */ (one("[data-stream]", panel));
  const conversation = stream.dataset.conversation ?? "";
  let told = 0;
  const tell = throttle(async () => {
    const sequence = Math.max(Number(stream.dataset.head), socket.sequence(conversation));
    if (sequence <= told || document.visibilityState !== "visible" || !document.hasFocus()) return;
    told = sequence;
    try {
      await request("POST", `${threadUrl(conversation, thread)}read/`, { form: { sequence: String(sequence) } });
    } catch {
      told = 0; // the next reply, line or look tells again
    }
  }, 1000);
  window.addEventListener("focus", tell);
  tell();
  const ends = [
    listen("chat", (/** @type {import("../shell/socket.js").ChatEvent} */ { type, data }) => type === "message.sent" && data.message.thread === thread && tell()),
    listen("open", tell),
    () => window.removeEventListener("focus", tell),
  ];
  return () => ends.forEach((end) => end());
});

// What the reader hears of the thread, as any of its devices changed it.
component("[data-thread-level]", (control) => {
  const thread = control.dataset.threadLevel ?? "";
  return listen("notice", (/** @type {import("../shell/socket.js").Notice} */ { type, data }) => {
    if (type === "notification.level_changed" && data.place === `thread:${thread}`) control.dataset.level = data.level;
    else if (type === "thread.follow_changed" && data.thread === thread) control.toggleAttribute("data-followed", data.is_followed);
    else return;
    one("span", control).textContent = t(`thread.${control.dataset.level || ("followed" in control.dataset ? "all" : "left")}`);
  });
});
