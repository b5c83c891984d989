// @ts-check
/** Who somebody is, beside the face that is looked at for a moment. The same is said in the list of members. */

import { request } from "../shell/api.js";
import { scan } from "../shell/mount.js";
import { inOrganization } from "../shell/page.js";

const LOOKED_AT = 450;
const LEFT = 250;
let opening = 0;
let closing = 0;

/** @returns {HTMLElement | null} */
const card = () => document.getElementById("person");

/** @param {Element} face @param {string} person */
async function open(face, person) {
  const shown = card();
  if (!shown) return;
  const answer = await request("GET", inOrganization(`people/${person}/`), { accept: "text/html" }).catch(() => null);
  if (!answer || !face.isConnected || !face.matches(":hover")) return;
  shown.innerHTML = await answer.text();
  if (shown.matches(":popover-open")) shown.hidePopover();
  shown.showPopover();
  const box = face.getBoundingClientRect();
  const own = shown.getBoundingClientRect();
  // By hand: a face in a list that scrolls is no anchor that every browser knows.
  shown.animate([{ transform: `translate(${Math.min(box.right + 8, innerWidth - own.width - 8)}px, ${Math.max(8, Math.min(box.top, innerHeight - own.height - 8))}px)` }], { fill: "forwards" });
  scan();
}

function close() {
  clearTimeout(opening);
  const shown = card();
  if (shown?.matches(":popover-open") && !shown.matches(":hover")) shown.hidePopover();
}

document.addEventListener("pointerover", (event) => {
  if (!(event.target instanceof Element) || event.pointerType === "touch") return;
  const face = event.target.closest(".message > .avatar, .message__name > span:first-child");
  const person = /** @type {HTMLElement | null} */ (face?.closest(".message"))?.dataset.sender;
  clearTimeout(opening);
  clearTimeout(closing);
  if (face && person) opening = window.setTimeout(() => open(face, person), LOOKED_AT);
  else if (!event.target.closest("#person")) closing = window.setTimeout(close, LEFT);
});
document.addEventListener("scroll", close, { capture: true, passive: true });
document.addEventListener("keydown", (event) => event.key === "Escape" && card()?.matches(":popover-open") && card()?.hidePopover());
