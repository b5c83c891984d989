// @ts-check
/** Follow what runs: the part is drawn again when the socket says something of a run, and now and then anyway. */

import { throttle } from "./dom.js";
import { component } from "./mount.js";
import { listen } from "./socket.js";

const SELDOM = 3000; // runs of other people are not told on this socket
const OFTEN = 800;
const LIVE = "[data-live][id]"; // a toast is marked alike, but has no id to draw again

const refresh = throttle(() => {
  const part = document.querySelector(LIVE);
  if (!part || document.visibilityState !== "visible" || document.querySelector("dialog[open]")) return;
  // More than the part may follow what runs: the title, and what can be done with it.
  const drawn = `#${/** @type {HTMLElement} */ (part).dataset.live || part.id}`;
  /** @type {any} */ (window).htmx.ajax("GET", location.pathname + location.search, { target: drawn, select: drawn, swap: "outerMorph" });
}, OFTEN);

component(LIVE, () => {
  const timer = window.setInterval(refresh, SELDOM);
  const stop = listen("ephemeral", (/** @type {import("./socket.js").Ephemeral} */ { type }) => {
    if (type === "run.progressed" && document.querySelector(LIVE)) refresh();
  });
  return () => {
    clearInterval(timer);
    stop();
  };
});
