// @ts-check
/** Who reacted, said by the sign that is looked at for a moment: its title for pointers, its name for screen readers. */

import { request } from "../shell/api.js";
import { all, one } from "../shell/dom.js";

const LOOKED_AT = 150;
let asking = 0;

/** @param {HTMLElement} article */
async function nameAll(article) {
  const address = `${one(".message__time", article).getAttribute("href")}reactions/`;
  const answer = await request("GET", address).catch(() => null); // the sign and its number stand without them
  /** @type {Record<string, string[]>} */
  const names = answer ? await answer.json() : {};
  for (const sign of /** @type {HTMLButtonElement[]} */ (all(".reaction", article))) {
    const found = (names[sign.value] ?? []).join(", ");
    if (!found) continue;
    sign.title = found;
    sign.setAttribute("aria-label", `${sign.value}, ${found}`);
    sign.dataset.named = "";
  }
}

/** @param {Event} event */
function looked(event) {
  clearTimeout(asking);
  const sign = event.target instanceof Element ? event.target.closest(".reaction[data-people]") : null;
  const article = sign?.closest(".message");
  if (!(sign instanceof HTMLElement) || !(article instanceof HTMLElement) || "named" in sign.dataset) return;
  asking = window.setTimeout(() => nameAll(article), LOOKED_AT);
}

document.addEventListener("pointerover", looked);
document.addEventListener("focusin", looked);
