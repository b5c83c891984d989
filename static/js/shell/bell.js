// @ts-check
/** The number on the bell follows the person's own stream, so that every device shows the same. */

import { all, make, spoken } from "./dom.js";
import { request } from "./api.js";
import { announce } from "./live-region.js";
import { inOrganization, page, t } from "./page.js";
import { listen } from "./socket.js";

/** @param {number} unread */
function draw(unread) {
  for (const bell of all("[data-bell]")) {
    bell.replaceChildren(
      ...(unread ? [make("span", { class: "count count--mention" }, unread < 1000 ? String(unread) : "999+", spoken(` ${t("notifications", { count: unread })}`))] : []),
    );
  }
}

/** Too much was missed to be told one by one: the server counts. */
async function ask() {
  const answer = await request("GET", inOrganization("notifications/bell/"), { accept: "text/html" });
  const text = await answer.text();
  for (const bell of all("[data-bell]")) bell.innerHTML = text;
}

export function setUpBell() {
  if (!page.me) return;
  listen("notice", (/** @type {import("./socket.js").Notice} */ { type, data }) => {
    if (type !== "notification.added" && type !== "notification.changed") return;
    draw(data.unread);
    if (type === "notification.added") announce(t("notifications", { count: data.unread }));
  });
  listen("resync", (/** @type {string | null} */ conversation) => conversation === null && ask());
}
