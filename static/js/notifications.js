// @ts-check
/** Notifications: the list follows the bell, and the settings turn push messages on in this browser. */

import { request } from "./shell/api.js";
import { setUpConnection } from "./shell/connection.js";
import { all, debounce } from "./shell/dom.js";
import { component } from "./shell/mount.js";
import { listen } from "./shell/socket.js";
import { explain, toast } from "./shell/toasts.js";

component("[data-notifications]", (list) => {
  const refresh = debounce(() => {
    if (document.querySelector("dialog[open]")) return;
    /** @type {any} */ (window).htmx.ajax("GET", list.dataset.notifications, { target: "#notifications", select: "#notifications", swap: "outerMorph" });
  }, 500);
  return listen("notice", (/** @type {import("./shell/socket.js").Notice} */ { type, data }) => {
    if (type === "notification.added" || (type === "notification.changed" && data.state !== "seen")) refresh();
  });
});

/** Looking at the list makes it seen, on every device. */
const see = debounce(() => {
  if (document.hidden) return;
  const unseen = all("[data-unseen]");
  if (!unseen.length) return;
  for (const line of unseen) delete line.dataset.unseen;
  request("POST", "/api/v1/me/notifications/", { json: { state: "seen", notifications: unseen.map((line) => line.dataset.notification ?? "") } }).catch(explain);
}, 1000);

component("[data-unseen]", () => see());

component("select[data-submits]", (select) => {
  const button = /** @type {HTMLSelectElement} */ (select).form?.querySelector("[data-without-script]");
  if (button instanceof HTMLElement) button.hidden = true;
  select.addEventListener("change", () => /** @type {HTMLSelectElement} */ (select).form?.requestSubmit());
});

/** @param {ArrayBuffer | null} key */
function base64url(key) {
  return btoa(String.fromCharCode(...new Uint8Array(key ?? new ArrayBuffer(0)))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** @param {string} text */
function bytes(text) {
  return Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (character) => character.charCodeAt(0));
}

/** Says which of the listed browsers this one is, and returns whether it is one of them. */
async function foundHere() {
  const registration = await navigator.serviceWorker.getRegistration();
  const subscription = await registration?.pushManager.getSubscription();
  if (!subscription || Notification.permission !== "granted") return false;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(subscription.endpoint)));
  const name = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const own = document.querySelector(`[data-endpoint="${name}"] [data-this-browser]`);
  if (own instanceof HTMLElement) own.hidden = false;
  return own !== null;
}

component("[data-push]", (button) => {
  if (!("serviceWorker" in navigator) || !("PushManager" in window)) return;
  /** @type {HTMLElement | null} */ (document.querySelector("[data-push-none]"))?.remove();
  foundHere().then((isOn) => {
    const said = document.querySelector("[data-push-on]");
    if (said instanceof HTMLElement) said.hidden = !isOn;
    button.hidden = isOn;
  }, explain);
  button.addEventListener("click", async () => {
    if ((await Notification.requestPermission()) !== "granted") {
      toast(button.dataset.denied ?? "", { bad: true });
      return;
    }
    try {
      const registration = await navigator.serviceWorker.register(button.dataset.pushWorker ?? "");
      await navigator.serviceWorker.ready;
      const subscription = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(button.dataset.push ?? "") });
      await request("POST", "/api/v1/me/push-subscriptions/", {
        json: { endpoint: subscription.endpoint, public_key: base64url(subscription.getKey("p256dh")), secret: base64url(subscription.getKey("auth")) },
      });
      location.reload();
    } catch (error) {
      // The push service of the browser may be away, or none may be built in.
      if (error instanceof DOMException) toast(button.dataset.failed ?? "", { bad: true });
      else explain(error);
    }
  });
});

setUpConnection();
