// @ts-check
/** The one polite voice of the page: at most one sentence each three seconds, the newest wins. */

import { one, throttle } from "./dom.js";

const say = throttle((/** @type {string | (() => string)} */ text) => {
  one("#live").textContent = typeof text === "string" ? text : text();
}, 3000);

/** @param {string | (() => string)} text a function is asked when it is said: it may count what came until then */
export function announce(text) {
  say(text);
}
