// @ts-check
/** Say when there is no connection, how much waits, and that reading and writing go on; and when nobody is signed in any more. */

import { Problem, renewToken, request } from "./api.js";
import { icon, make, one } from "./dom.js";
import { inOrganization, t } from "./page.js";
import { listen, socket } from "./socket.js";
import { explain } from "./toasts.js";

const PATIENCE = 2500;
let timer = 0;
let waiting = 0;
let isOff = false;
let isSignedOut = false;

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

function drawSignedOut() {
  const again = make("a", { class: "btn btn--small", href: location.href }, t("sign_in"));
  one("#banner").replaceChildren(make("div", { class: "banner", role: "alert" }, icon("warn"), make("span", {}, t("signed_out")), again));
}

/** The browser does not tell scripts why a socket was refused: a page says whether it is for want of signing in. */
async function lookWhetherSignedOut() {
  try {
    await request("GET", inOrganization("notifications/bell/"), { accept: "text/html" });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.status !== 401) return;
    socket.rest();
    if (!isSignedOut) signedOut();
  }
}

function signedOut() {
  clearTimeout(timer);
  timer = 0;
  isOff = false;
  isSignedOut = true;
  drawSignedOut();
}

export function setUpConnection() {
  listen("offline", (/** @type {{isRevoked: boolean, wasOpen: boolean}} */ { isRevoked, wasOpen }) => {
    if (isRevoked) return signedOut();
    if (!wasOpen) void lookWhetherSignedOut();
    if (isSignedOut) return;
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
    // Signed in again in another window: with the session, the token of writes is another one.
    if (isSignedOut) renewToken().catch(explain);
    isSignedOut = false;
  });
  socket.connect();
}
