// @ts-check
/** The service worker of this address: push messages, and reading without a connection. */

/** @type {any} */ (self).importScripts("/push-worker.js", "/offline-worker.js");

self.addEventListener("install", () => /** @type {any} */ (self).skipWaiting());
self.addEventListener("activate", (event) => /** @type {any} */ (event).waitUntil(/** @type {any} */ (self).clients.claim()));
