// @ts-check
/** The service worker: shows a push message, and opens what it is about. It keeps nothing and fetches nothing. */

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
