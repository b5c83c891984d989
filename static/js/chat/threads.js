// @ts-check
/** Following a thread, and telling the server how far it was seen: an open panel that is looked at settles its replies. */

import { request } from "../shell/api.js";
import { one, throttle } from "../shell/dom.js";
import { component } from "../shell/mount.js";
import { t } from "../shell/page.js";
import { listen, socket } from "../shell/socket.js";
import { explain } from "../shell/toasts.js";
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
      told = 0; // the next reply, or the next look, tells again
    }
  }, 1000);
  window.addEventListener("focus", tell);
  tell();
  const ends = [
    listen("chat", (/** @type {import("../shell/socket.js").ChatEvent} */ { type, data }) => type === "message.sent" && data.message.thread === thread && tell()),
    () => window.removeEventListener("focus", tell),
  ];
  return () => ends.forEach((end) => end());
});

component("[data-follow]", (form) => {
  const button = /** @type {HTMLButtonElement} */ (one("button", form));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const isFollowed = button.value === "1";
    try {
      await request("POST", /** @type {HTMLFormElement} */ (form).action, { form: { is_followed: button.value } });
    } catch (error) {
      explain(error);
      return;
    }
    button.value = isFollowed ? "0" : "1";
    button.setAttribute("aria-pressed", String(isFollowed));
    one("span", button).textContent = t(isFollowed ? "unfollow" : "follow");
  });
});
