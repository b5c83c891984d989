// @ts-check
/**
 * Messages on their way. They are kept in this browser until the server acknowledged them, and sent again with the same
 * client key after each break: the server stores a key once, so nothing is lost and nothing doubles. Each has an entry of
 * its own in the storage that all windows share: none writes over what another one keeps, and whichever is open sends.
 */

import { debounce } from "../shell/dom.js";
import { page } from "../shell/page.js";
import { showWaiting } from "../shell/connection.js";
import { Interrupted, listen, Refusal, socket } from "../shell/socket.js";

/**
 * @typedef {{
 *   client_key: string, conversation: string, thread: string | null, topic?: string, body: string,
 *   attachments: Array<{id: string, name: string, media_type: string, size_bytes: number}>,
 *   written_at: string, failure?: string, code?: string, priority?: string, confirmed?: boolean,
 * }} Waiting
 */

const KEY = `outbox.${page.me?.member}.`;
const PATIENCE = 5_000; // milliseconds another window has to send what was written there
const RETRY_CODES = new Set(["core.rate_limited", "core.unavailable"]);

/** @type {Waiting[]} */
let items = [];
/** @type {Set<string>} */
const flying = new Set();
/** runs while the server takes no more: what was written later must not pass what was refused */
let pause = 0;

/** Events: `added`, `failed`, `removed` with the item, `found` with one of another window, `sent` with {item, ack}. */
export const outbox = new EventTarget();

/** @param {string} name @param {unknown} detail */
function emit(name, detail) {
  outbox.dispatchEvent(new CustomEvent(name, { detail }));
}

/** @param {Waiting} item */
function keep(item) {
  if (!items.includes(item)) return; // another window sent it, or took it back
  localStorage.setItem(KEY + item.client_key, JSON.stringify(item));
  count();
}

/** @param {string} key */
function forget(key) {
  items = items.filter((each) => each.client_key !== key);
  localStorage.removeItem(KEY + key);
  count();
}

function count() {
  showWaiting(items.filter((item) => !item.failure).length);
}

/** Take over what other windows keep, which may be closed by now; in the order in which it was written. */
function gather() {
  const names = Array.from({ length: localStorage.length }, (_, index) => localStorage.key(index) ?? "");
  /** @type {Waiting[]} */
  const found = names
    .filter((name) => name.startsWith(KEY) && !items.some((item) => KEY + item.client_key === name))
    .map((name) => JSON.parse(localStorage.getItem(name) ?? ""));
  items = [...items, ...found].sort((one, other) => one.written_at.localeCompare(other.written_at));
  count();
  for (const item of items) if (found.includes(item)) emit("found", item);
}

/** What waits in a conversation or thread. @param {string} conversation @param {string | null} thread */
export function waitingIn(conversation, thread) {
  return items.filter((item) => item.conversation === conversation && item.thread === thread);
}

/** @param {Omit<Waiting, "client_key" | "written_at">} draft */
export function post(draft) {
  const item = { ...draft, client_key: crypto.randomUUID(), written_at: new Date().toISOString() };
  items.push(item);
  keep(item);
  emit("added", item);
  flush();
}

/** @param {string} key */
export function remove(key) {
  const item = items.find((each) => each.client_key === key);
  forget(key);
  if (item) emit("removed", item);
}

/** @param {string} key @param {boolean} [confirmed] that many people are called on purpose */
export function retry(key, confirmed = false) {
  const item = items.find((each) => each.client_key === key);
  if (!item) return;
  delete item.failure;
  delete item.code;
  if (confirmed) item.confirmed = true;
  keep(item);
  emit("added", item);
  flush();
}

/** Send what waits, in order. */
function flush() {
  for (const item of items) {
    if (item.failure || flying.has(item.client_key)) continue;
    if (!socket.isOpen || pause) return;
    flying.add(item.client_key);
    deliver(item).finally(() => flying.delete(item.client_key));
  }
}

/** @param {Waiting} item */
async function deliver(item) {
  try {
    const ack = await socket.ask({
      frame: "send",
      conversation: item.conversation,
      body: item.body,
      client_key: item.client_key,
      ...(item.thread ? { thread: item.thread } : {}),
      ...(item.topic ? { topic: item.topic } : {}),
      ...(item.priority ? { priority: item.priority } : {}),
      ...(item.confirmed ? { confirm_mass_mention: true } : {}),
      ...(item.attachments.length ? { attachments: item.attachments.map((file) => file.id) } : {}),
    });
    forget(item.client_key);
    emit("sent", { item, ack });
  } catch (error) {
    if (error instanceof Interrupted) return; // the next `open` sends it again
    if (!(error instanceof Refusal)) throw error;
    if (RETRY_CODES.has(error.code)) {
      clearTimeout(pause);
      pause = window.setTimeout(() => {
        pause = 0;
        flush();
      }, Math.max(1, error.retryAfter) * 1000);
      return;
    }
    item.failure = error.message || error.code;
    item.code = error.code;
    keep(item);
    emit("failed", item);
  }
}

const takeOver = debounce(() => {
  gather();
  flush();
}, PATIENCE);

// Written, sent, taken back or refused in another window.
window.addEventListener("storage", ({ key, newValue }) => {
  const item = items.find((each) => KEY + each.client_key === key);
  if (!item) {
    if (key?.startsWith(KEY) && newValue !== null) takeOver();
    return;
  }
  if (newValue === null) {
    items = items.filter((each) => each !== item);
    count();
    emit("removed", item);
    return;
  }
  const { failure, code, confirmed } = JSON.parse(newValue);
  Object.assign(item, { failure, code, confirmed });
  count();
  emit("found", item);
});

listen("open", () => {
  gather();
  flush();
});
// All stood in one entry before each had its own.
const TOGETHER = KEY.slice(0, -1);
for (const item of JSON.parse(localStorage.getItem(TOGETHER) ?? "[]")) localStorage.setItem(KEY + item.client_key, JSON.stringify(item));
localStorage.removeItem(TOGETHER);
gather();
