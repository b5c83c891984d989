// @ts-check
/** Who is here, for the faces on screen that show it. */

import { all, debounce } from "../shell/dom.js";
import { component } from "../shell/mount.js";
import { page } from "../shell/page.js";
import { listen, socket } from "../shell/socket.js";

/** @type {Record<string, string>} */
const known = {};

const watch = debounce(() => {
  const people = [...new Set(all("[data-presence-of]").map((sign) => sign.dataset.presenceOf ?? ""))].filter((id) => id && id !== page.me?.id);
  socket.send({ frame: "watch", people: people.slice(0, 200) });
}, 300);

/** @param {HTMLElement} sign */
function draw(sign) {
  const state = sign.dataset.presenceOf === page.me?.id ? "online" : known[sign.dataset.presenceOf ?? ""];
  if (state) sign.dataset.presence = state === "online" ? "on" : "off";
}

component("[data-presence-of]", (sign) => {
  draw(sign);
  watch();
});

export function setUpPresence() {
  listen("open", () => watch());
  listen("ephemeral", (/** @type {import("../shell/socket.js").Ephemeral} */ { type, data }) => {
    if (type !== "presence") return;
    Object.assign(known, data);
    for (const sign of all("[data-presence-of]")) draw(sign);
  });
}
