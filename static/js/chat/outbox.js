// @ts-check
/**
 * Messages on their way. They are kept in this browser until the server acknowledged them, and sent again with the same
 * client key after each break: the server stores a key once, so nothing is lost and nothing doubles.
 */

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

const KEY = `outbox.${page.me?.member}`;
const RETRY_CODES = new Set(["core.rate_limited", "core.unavailable"]);

/** @type {Waiting[]} */
let items = JSON.parse(localStorage.getItem(KEY) ?? "[]");
/** @type {Set<string>} */
const flying = new Set();

/** Events: `added`, `failed`, `removed` with the item, `sent` with {item, ack}. */
export const outbox = new EventTarget();

/** @param {string} name @param {unknown} detail */
function emit(name, detail) {
  outbox.dispatchEvent(new CustomEvent(name, { detail }));
}

function keep() {
  localStorage.setItem(KEY, JSON.stringify(items));
  showWaiting(items.filter((item) => !item.failure).length);
}

/** What waits in a conversation or thread. @param {string} conversation @param {string | null} thread */
export function waitingIn(conversation, thread) {
  return items.filter((item) => item.conversation === conversation && item.thread === thread);
}

/** @param {Omit<Waiting, "client_key" | "written_at">} draft */
export function post(draft) {
  const item = { ...draft, client_key: crypto.randomUUID(), written_at: new Date().toISOString() };
  items.push(item);
  keep();
  emit("added", item);
  flush();
}

/** @param {string} key */
export function remove(key) {
  const item = items.find((each) => each.client_key === key);
  items = items.filter((each) => each.client_key !== key);
  keep();
  if (item) emit("removed", item);
}

/** @param {string} key @param {boolean} [confirmed] that many people are called on purpose */
export function retry(key, confirmed = false) {
  const item = items.find((each) => each.client_key === key);
  if (!item) return;
  delete item.failure;
  delete item.code;
  if (confirmed) item.confirmed = true;
  keep();
  emit("added", item);
  flush();
}

/** Send what waits, in order. */
function flush() {
  for (const item of items) {
    if (item.failure || flying.has(item.client_key)) continue;
    if (!socket.isOpen) return;
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
    items = items.filter((each) => each !== item);
    keep();
    emit("sent", { item, ack });
  } catch (error) {
    if (error instanceof Interrupted) return; // the next `open` sends it again
    if (!(error instanceof Refusal)) throw error;
    if (RETRY_CODES.has(error.code)) {
      window.setTimeout(flush, Math.max(1, error.retryAfter) * 1000);
      return;
    }
    item.failure = error.message || error.code;
    item.code = error.code;
    keep();
    emit("failed", item);
  }
}

listen("open", flush);
keep();
