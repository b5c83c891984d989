// @ts-check
/** Say when there is no connection, how much waits, and that reading and writing go on. */

import { icon, make, one } from "./dom.js";
import { t } from "./page.js";
import { listen, socket } from "./socket.js";

const PATIENCE = 2500;
let timer = 0;
let waiting = 0;
let isOff = false;

/** How many messages wait to be sent. @param {number} count */
export function showWaiting(count) {
  waiting = count;
  if (isOff) draw();
}

function draw() {
  const button = make("button", { class: "btn btn--small", type: "button" }, t("connect"));
  button.addEventListener("click", () => socket.connectNow());
  one("#banner").replaceChildren(
    make(
      "div",
      { class: "banner", role: "status" },
      icon("offline"),
      make("span", {}, make("b", {}, t("offline")), " ", waiting ? t("offline.waiting", { count: waiting }) : t("offline.safe")),
      button,
    ),
  );
}

export function setUpConnection() {
  listen("offline", (/** @type {{isRevoked: boolean}} */ { isRevoked }) => {
    if (isRevoked) {
      one("#banner").replaceChildren(make("div", { class: "banner", role: "alert" }, icon("warn"), make("span", {}, t("signed_out"))));
      return;
    }
    // A short break is not worth a word.
    if (!isOff && !timer) {
      timer = window.setTimeout(() => {
        timer = 0;
        isOff = true;
        draw();
      }, PATIENCE);
    }
  });
  listen("open", () => {
    clearTimeout(timer);
    timer = 0;
    isOff = false;
    one("#banner").replaceChildren();
  });
  socket.connect();
}
