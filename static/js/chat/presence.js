// @ts-check
/** Who is here, for the faces on screen that show it. */

import { all, debounce, spoken, throttle } from "../shell/dom.js";
import { component } from "../shell/mount.js";
import { t } from "../shell/page.js";
import { listen, socket } from "../shell/socket.js";
import { written } from "../shell/times.js";

const SIGNS = /** @type {Record<string, string>} */ ({ online: "on", away: "away", undisturbed: "dnd", offline: "off" });
const SIGN_OF_LIFE = 30_000;

/** @type {Record<string, string>} */
const known = {};
/** @type {Record<string, {emoji: string, text: string, until: string | null} | null>} */
const words = {};

const watch = debounce(() => {
  const people = [...new Set(all("[data-presence-of], [data-status-of]").map((sign) => sign.dataset.presenceOf ?? sign.dataset.statusOf ?? ""))].filter(Boolean);
  socket.send({ frame: "watch", people: people.slice(0, 200) });
}, 300);

/** @param {HTMLElement} sign */
function draw(sign) {
  const state = known[sign.dataset.presenceOf ?? ""];
  if (state) sign.dataset.presence = SIGNS[state] ?? "off";
}

/** The emoji stands beside the name, the words in its title and for screen readers. @param {HTMLElement} place */
function drawWords(place) {
  const said = words[place.dataset.statusOf ?? ""];
  if (said === undefined) return;
  const text = said ? [said.text, said.until ? t("status.until", { time: written(new Date(said.until), "stamp") }) : ""].filter(Boolean).join(", ") : "";
  place.title = text;
  place.replaceChildren(...(said ? [said.emoji || "💬", spoken(` ${text}`)] : []));
}

component("[data-presence-of]", (sign) => {
  draw(sign);
  watch();
});

component("[data-status-of]", (place) => {
  drawWords(place);
  watch();
});

export function setUpPresence() {
  // Somebody at the screen needs no message elsewhere; an open page that nobody touches is no such sign.
  const alive = throttle(() => socket.send({ frame: "ping", active: true }), SIGN_OF_LIFE);
  for (const name of ["pointerdown", "keydown", "wheel"]) document.addEventListener(name, alive, { passive: true, capture: true });
  listen("open", () => watch());
  listen("ephemeral", (/** @type {import("../shell/socket.js").Ephemeral} */ { type, data }) => {
    if (type === "presence") {
      Object.assign(known, data);
      for (const sign of all("[data-presence-of]")) draw(sign);
    } else if (type === "status") {
      Object.assign(words, data);
      for (const place of all("[data-status-of]")) drawWords(place);
    }
  });
}
