// @ts-check
/** The one polite voice of the page: at most one sentence each three seconds, the newest wins. */

import { one, throttle } from "./dom.js";

const say = throttle((/** @type {string} */ text) => {
  one("#live").textContent = text;
}, 3000);

/** @param {string} text */
export function announce(text) {
  say(text);
}
