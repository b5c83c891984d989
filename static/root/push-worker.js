// @ts-check
/** The service worker: shows a push message, and opens what it is about. It keeps nothing, and fetches only where the
 * browser changed its address: the server then hears of the new one. */

self.addEventListener("push", (event) => {
  const { data } = /** @type {any} */ (event);
  if (!data) return;
  const { title, body, url, tag, renotify } = data.json();
  const shown = /** @type {any} */ (self).registration.showNotification(title, { body, tag, renotify, data: { url } });
  /** @type {any} */ (event).waitUntil(shown);
});

self.addEventListener("notificationclick", (event) => {
  const { notification } = /** @type {any} */ (event);
  notification.close();
  const { clients, location } = /** @type {any} */ (self);
  const url = new URL(notification.data.url, location.origin);
  if (url.origin !== location.origin) return;
  const open = async () => {
    const windows = await clients.matchAll({ type: "window", includeUncontrolled: true });
    const same = windows.find((/** @type {any} */ window) => window.url === url.href) ?? windows[0];
    if (!same) return clients.openWindow(url.href);
    await same.focus();
    return same.url === url.href ? undefined : same.navigate(url.href).catch(() => clients.openWindow(url.href));
  };
  /** @type {any} */ (event).waitUntil(open());
});

/** @param {ArrayBuffer | null} key */
function base64url(key) {
  return btoa(String.fromCharCode(...new Uint8Array(key ?? new ArrayBuffer(0)))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

self.addEventListener("pushsubscriptionchange", (event) => {
  const { oldSubscription, newSubscription } = /** @type {any} */ (event);
  const renew = async () => {
    const options = oldSubscription?.options ?? newSubscription?.options;
    if (!options) return;
    const { registration } = /** @type {any} */ (self);
    const made = newSubscription ?? (await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: options.applicationServerKey }));
    // A page carries the token a write needs, and says in which organization one is; signed out there is none.
    const page = await (await fetch("/", { credentials: "same-origin" })).text();
    const { csrf, organization } = JSON.parse(/ id="page-data"[^>]*>([^<]*)</.exec(page)?.[1] ?? "{}");
    if (!organization) return;
    await fetch("/api/v1/me/push-subscriptions/", {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrf, Organization: organization.id },
      body: JSON.stringify({ endpoint: made.endpoint, public_key: base64url(made.getKey("p256dh")), secret: base64url(made.getKey("auth")) }),
    });
  };
  /** @type {any} */ (event).waitUntil(renew());
});
