// @ts-check
/**
 * What a run writes, shown while it is written: its stage, its text, its end. The run goes on when nobody looks, and a
 * page that comes back is told everything from the beginning.
 */

import { Problem, request } from "./api.js";
import { make, one } from "./dom.js";
import { announce } from "./live-region.js";
import { component, scan } from "./mount.js";
import { listen, socket } from "./socket.js";
import { explain } from "./toasts.js";

/** @typedef {import("./socket.js").StreamFrame} StreamFrame */
/** @typedef {{number: number, title: string, place: string, snippet: string, url: string}} FoundHit */

const SETTLES = 500;
const AWAY = 5000;

component("[data-follow]", (element) => {
  const run = element.dataset.follow ?? "";
  const status = one("[data-run-status]", element);
  const text = one("[data-run-text]", element);
  const hits = /** @type {HTMLElement | null} */ (element.querySelector("[data-run-hits]"));
  const started = performance.now();
  const caret = make("span", { class: "caret" });
  let written = "";
  let isOver = false;

  /** @param {string} stage @param {Record<string, unknown>} [fields] */
  const say = (stage, fields = {}) => {
    const template = element.dataset[stage.toLowerCase()];
    if (template) status.textContent = template.replace(/\{(\w+)\}/g, (_, name) => String(fields[name] ?? ""));
  };

  /** What was found so far: by words alone at first, then the whole list. @param {Record<string, any>} found */
  const show = (found) => {
    const heard = found.stage === "words" ? "words" : found.words_only ? "onlywords" : "found";
    say(heard, { passages: found.hits.length });
    if (!hits) return;
    hits.hidden = !found.hits.length;
    hits.dataset.stage = heard;
    hits.replaceChildren(
      ...found.hits.map((/** @type {FoundHit} */ hit) =>
        make(
          "a",
          { class: "source", href: hit.url },
          make("span", { class: "cite" }, String(hit.number)),
          make("span", { class: "source__title cut" }, hit.title),
          make("span", { class: "quiet nowrap" }, hit.place),
          make("span", { class: "source__note" }, hit.snippet),
        ),
      ),
    );
  };

  const forget = () => {
    written = "";
    text.replaceChildren();
  };

  /** @param {string} piece */
  const append = (piece) => {
    const scroller = /** @type {HTMLElement | null} */ (element.closest(".scroll"));
    const follows = scroller && scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80;
    written += piece;
    // Numbers become links when the text is whole; until then they would only flicker.
    const parts = written.replace(/\s*\[\d{0,2}\]?/g, "").split(/\n+/).filter(Boolean);
    text.replaceChildren(...parts.map((part) => make("p", {}, part)));
    (text.lastElementChild ?? text).append(caret);
    say("writing", { seconds: ((performance.now() - started) / 1000).toFixed(1) });
    if (scroller && follows) scroller.scrollTop = scroller.scrollHeight;
  };

  /**
   * The server draws the end. It may be settled a moment after the run: a stopped answer still seems written then. What
   * does not come through is asked for again.
   */
  const redraw = async () => {
    if (!element.isConnected) return;
    try {
      const holder = document.createElement("template");
      holder.innerHTML = await (await request("GET", element.dataset.refresh ?? "", { accept: "text/html" })).text();
      const drawn = one(".answer", holder.content);
      if (drawn.hasAttribute("aria-busy")) {
        if (isOver) window.setTimeout(redraw, SETTLES);
        return;
      }
      element.replaceWith(drawn);
      scan();
    } catch (error) {
      if (error instanceof Problem && (error.status === 0 || error.status >= 500)) return;
      clearInterval(timer);
      explain(error);
    }
  };
  // Where no socket can be opened nobody says that it is written.
  const timer = window.setInterval(() => {
    if (isOver || !socket.isOpen) redraw();
  }, AWAY);

  const finish = () => {
    isOver = true;
    socket.unfollow(run);
    caret.remove();
    announce(element.dataset.finished ?? "");
    redraw();
  };

  const end = listen("stream", (/** @type {StreamFrame} */ frame) => {
    if (frame.run !== run) return;
    if (frame.type === "status") say(frame.data.stage, frame.data);
    else if (frame.type === "hits") show(frame.data);
    else if (frame.type === "delta") append(frame.data.text);
    else if (frame.type === "restarted") forget();
    else if (frame.type === "run.finished") finish();
  });
  socket.follow(run, 0);
  return () => {
    end();
    clearInterval(timer);
    socket.unfollow(run);
  };
});

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !("stop" in form.dataset)) return;
  event.preventDefault();
  try {
    await request("POST", form.action);
  } catch (error) {
    explain(error);
  }
});
