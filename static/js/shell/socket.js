// @ts-check
/**
 * The one socket of this tab. It keeps a number per stream: what comes next is delivered, what came before is dropped,
 * and a gap is filled by asking for everything after the last number. So frames may be lost without losing a fact.
 */

import { page } from "./page.js";

/**
 * @typedef {{conversation: string, sequence: number, type: string, data: any}} ChatEvent
 * @typedef {{sequence: number, type: string, data: any}} Notice
 * @typedef {{conversation: string | null, type: string, data: any}} Ephemeral
 * @typedef {{run: string, id: number, type: string, data: any}} StreamFrame
 * @typedef {{conversation: string, message: string, sequence: number, client_key: string, repeated: boolean}} Ack
 */

const SHORTEST = 300;
const LONGEST = 30_000;
const ANSWER_TIMEOUT = 15_000;
const YOUNG = 2_000; // an attempt that may still be answered
const RESUME_CHUNK = 400;
const KEPT = 200;
const REVOKED = 4401;

/** The server explained why it refused a frame. */
export class Refusal extends Error {
  /** @param {{code: string, detail: string, retry_after_seconds?: number}} frame */
  constructor({ code, detail, retry_after_seconds }) {
    super(detail);
    this.code = code;
    this.retryAfter = retry_after_seconds ?? 0;
  }
}

/** The connection broke before the answer came: ask again after the next `open`. */
export class Interrupted extends Error {}

/**
 * Events: `open` (hello was answered), `offline` ({isRevoked, wasOpen}), `chat` (ChatEvent), `notice`, `ephemeral`, `stream`, `resync`
 * (a conversation, or null for the own stream), `membership` (hello named conversations the page does not know).
 */
class Socket extends EventTarget {
  /** @type {WebSocket | null} */
  #connection = null;
  #isOpen = false;
  #delay = SHORTEST;
  #retry = 0;
  /** Runs until the server greets. */
  #greeting = 0;
  #began = 0;
  #beat = 0;
  #lastFrame = 0;
  #number = 0;
  /** The last number of the own stream; the page was drawn knowing the first one. */
  #own = page.notices ?? 0;
  /** Where the own stream was at the last hello. */
  #head = 0;
  /** @type {Notice[]} notices after a gap, kept until the gap is filled or known to stay */
  #noticesAhead = [];
  /** @type {Map<string, number>} */
  #known = new Map();
  /** @type {Map<string, ChatEvent[]>} the last delivered ones, for parts of the page that were drawn before them */
  #delivered = new Map();
  /** @type {Map<string, ChatEvent[]>} frames after a gap, kept until the gap is filled or known to stay */
  #ahead = new Map();
  /** @type {Map<string, {resolve: (frame: any) => void, reject: (error: Error) => void, timer: number}>} */
  #waiting = new Map();
  /** @type {Map<string, number>} run → last id */
  #followed = new Map();
  /** @type {Map<string, number>} run → the id before a gap that was asked for */
  #asked = new Map();
  /** @type {Map<string, number>} run → the id after which the server says to go on: a gap there is nobody's to fill */
  #joined = new Map();

  get isOpen() {
    return this.#isOpen;
  }

  /** Tell what the page already shows. @param {string} conversation @param {number} sequence */
  learn(conversation, sequence) {
    const known = this.#known.get(conversation);
    if (known === undefined || sequence > known) this.#known.set(conversation, sequence);
  }

  /** The last number of a conversation that was delivered. @param {string} conversation */
  sequence(conversation) {
    return this.#known.get(conversation) ?? 0;
  }

  /**
   * What was delivered after a number, for a part of the page that was drawn with what was true then; null where it is
   * not known here, and the part has to be drawn again.
   * @param {string} conversation @param {number} sequence @returns {ChatEvent[] | null}
   */
  since(conversation, sequence) {
    const missed = this.sequence(conversation) - sequence;
    if (missed <= 0) return [];
    const events = (this.#delivered.get(conversation) ?? []).filter((event) => event.sequence > sequence);
    return events.length === missed ? events : null;
  }

  connect() {
    clearTimeout(this.#retry);
    if (!page.socket || this.#connection) return;
    const address = new URL(page.socket, location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const connection = new WebSocket(address);
    this.#connection = connection;
    // A line that swallows everything says nothing either.
    this.#greeting = window.setTimeout(() => this.#give(connection, 0), ANSWER_TIMEOUT);
    this.#began = Date.now();
    connection.addEventListener("message", (event) => this.#take(JSON.parse(event.data)));
    connection.addEventListener("close", (event) => this.#closed(connection, event.code));
  }

  /** Try now instead of waiting for the next attempt, or for one that is not answered. A line that is open is tried. */
  connectNow() {
    if (this.#isOpen) {
      this.ask({ frame: "ping" }).catch(ignoreInterrupted);
      return;
    }
    if (this.#connection) {
      if (Date.now() - this.#began < YOUNG) return;
      this.#give(this.#connection, 0);
    }
    this.#delay = SHORTEST;
    this.connect();
  }

  /** Let go of a connection without waiting for it to close. @param {WebSocket} connection @param {number} code */
  #give(connection, code) {
    this.#closed(connection, code);
    connection.close();
  }

  /** Nobody is signed in here, or somebody else: trying again waits until somebody looks. */
  rest() {
    clearTimeout(this.#retry);
    if (this.#connection) this.#give(this.#connection, REVOKED);
  }

  /** @param {Record<string, unknown>} frame @returns {boolean} whether it left */
  send(frame) {
    if (!this.#isOpen || !this.#connection) return false;
    this.#connection.send(JSON.stringify(frame));
    return true;
  }

  /**
   * Send and wait for the answer to this frame.
   * @param {Record<string, unknown>} frame
   * @returns {Promise<any>} rejects with Refusal or Interrupted
   */
  ask(frame) {
    const ref = `r${++this.#number}`;
    return new Promise((resolve, reject) => {
      if (!this.send({ ...frame, ref })) {
        reject(new Interrupted());
        return;
      }
      // No answer at all: the line is dead although nobody closed it.
      const timer = window.setTimeout(() => this.#connection && this.#give(this.#connection, 0), ANSWER_TIMEOUT);
      this.#waiting.set(ref, { resolve, reject, timer });
    });
  }

  /** Frames of a run after an id, now and after each reconnect. @param {string} run @param {number} after */
  follow(run, after) {
    this.#followed.set(run, after);
    this.send({ frame: "follow", run, after });
  }

  /** @param {string} run */
  unfollow(run) {
    for (const known of [this.#followed, this.#asked, this.#joined]) known.delete(run);
    this.send({ frame: "unfollow", run });
  }

  /** @param {any} frame */
  #take(frame) {
    this.#lastFrame = Date.now();
    switch (frame.frame) {
      case "hello":
        this.#welcome(frame);
        break;
      case "event":
        this.#event(frame);
        break;
      case "notice":
        this.#notice(frame);
        break;
      case "ack":
      case "marked":
      case "resumed":
      case "pong":
        this.#answer(frame.ref)?.resolve(frame);
        break;
      case "error":
        this.#answer(frame.ref)?.reject(new Refusal(frame));
        break;
      case "following":
        this.#joined.set(frame.run, frame.after);
        break;
      case "stream":
        this.#streamed(frame);
        break;
      case "resync":
        if (frame.conversation === undefined) this.#compare();
        else {
          // The own stream is too far ahead to be told: whoever listens draws anew what it shows of it.
          if (frame.conversation === null) this.#own = Math.max(this.#own, this.#head);
          this.#emit("resync", frame.conversation);
        }
        break;
      case "ephemeral":
        this.#emit("ephemeral", frame);
        break;
    }
  }

  /** @param {string} ref */
  #answer(ref) {
    const found = this.#waiting.get(ref);
    if (found) clearTimeout(found.timer);
    this.#waiting.delete(ref);
    return found;
  }

  /** @param {{member: string, sequence: number, conversations: Record<string, number>, heartbeat_seconds: number}} hello */
  #welcome(hello) {
    // Somebody else signed in meanwhile: what waits here is not theirs to send, and theirs not for here.
    if (hello.member !== page.me?.member) return this.rest();
    clearTimeout(this.#greeting);
    this.#isOpen = true;
    this.#delay = SHORTEST;
    const behind = [...this.#known].filter(([conversation, sequence]) => (hello.conversations[conversation] ?? sequence) > sequence);
    const isNews = Object.keys(hello.conversations).some((conversation) => !this.#known.has(conversation));
    for (const [conversation, sequence] of Object.entries(hello.conversations)) {
      if (!this.#known.has(conversation)) this.#known.set(conversation, sequence);
    }
    this.#head = hello.sequence;
    const notices = this.#own < hello.sequence ? this.#own : undefined;
    if (behind.length || notices !== undefined) this.#resume(Object.fromEntries(behind), notices);
    this.#followOn();
    clearInterval(this.#beat);
    this.#beat = window.setInterval(() => this.#check(hello.heartbeat_seconds * 1000), (hello.heartbeat_seconds * 1000) / 2);
    this.#emit("open", null);
    if (isNews) this.#emit("membership", null);
  }

  /** @param {number} wait */
  #check(wait) {
    if (Date.now() - this.#lastFrame > wait / 2) this.ask({ frame: "ping" }).catch(ignoreInterrupted);
  }

  /** The server lost its own line for a moment: ask for everything after what we have. */
  #compare() {
    this.#resume(Object.fromEntries(this.#known), this.#own);
    this.#followOn();
  }

  /** Streams have no order of their own with other frames: each is asked for from where it was heard last. */
  #followOn() {
    this.#asked.clear();
    this.#joined.clear();
    for (const [run, after] of this.#followed) this.send({ frame: "follow", run, after });
  }

  /** @param {Record<string, number>} conversations @param {number} [notices] */
  #resume(conversations, notices) {
    const all = Object.entries(conversations);
    for (let start = 0; start === 0 || start < all.length; start += RESUME_CHUNK) {
      const part = Object.fromEntries(all.slice(start, start + RESUME_CHUNK));
      const frame = { frame: "resume", conversations: part, ...(start === 0 && notices !== undefined ? { notices } : {}) };
      this.ask(frame).then(() => {
        this.#settle(Object.keys(part));
        if ("notices" in frame) this.#settleNotices();
      }, ignoreInterrupted);
    }
  }

  /** The gap was filled, or there is nothing in it for us: go on with what waited behind it. @param {string[]} conversations */
  #settle(conversations) {
    for (const conversation of conversations) {
      const ahead = (this.#ahead.get(conversation) ?? []).sort((one, other) => one.sequence - other.sequence);
      this.#ahead.delete(conversation);
      for (const event of ahead) this.#deliver(event);
    }
  }

  /** @param {ChatEvent} event */
  #event(event) {
    const known = this.#known.get(event.conversation);
    const waiting = this.#ahead.get(event.conversation);
    if (known === undefined || event.sequence === known + 1) {
      this.#deliver(event);
    } else if (event.sequence > known) {
      if (waiting) waiting.push(event);
      else {
        this.#ahead.set(event.conversation, [event]);
        this.#resume({ [event.conversation]: known });
      }
    }
  }

  /** @param {ChatEvent} event */
  #deliver(event) {
    if (event.sequence <= (this.#known.get(event.conversation) ?? 0)) return;
    this.#known.set(event.conversation, event.sequence);
    const delivered = this.#delivered.get(event.conversation) ?? [];
    this.#delivered.set(event.conversation, [...delivered.slice(1 - KEPT), event]);
    this.#emit("chat", event);
  }

  /** @param {Notice} notice */
  #notice(notice) {
    if (notice.sequence <= this.#own + 1) this.#deliverNotice(notice);
    else if (this.#noticesAhead.push(notice) === 1) this.#resume({}, this.#own);
  }

  #settleNotices() {
    const ahead = this.#noticesAhead.sort((one, other) => one.sequence - other.sequence);
    this.#noticesAhead = [];
    for (const notice of ahead) this.#deliverNotice(notice);
  }

  /** @param {Notice} notice */
  #deliverNotice(notice) {
    if (notice.sequence <= this.#own) return;
    this.#own = notice.sequence;
    if (notice.type === "conversation.removed") this.#known.delete(notice.data.conversation);
    this.#emit("notice", notice);
  }

  /** @param {StreamFrame} frame */
  #streamed(frame) {
    const last = this.#followed.get(frame.run);
    if (last === undefined || frame.id <= last) return;
    if (frame.id > last + 1 && this.#joined.get(frame.run) !== last) {
      if (this.#asked.get(frame.run) !== last) this.send({ frame: "follow", run: frame.run, after: last });
      this.#asked.set(frame.run, last);
      return;
    }
    this.#followed.set(frame.run, frame.id);
    this.#emit("stream", frame);
  }

  /** @param {WebSocket} connection @param {number} code */
  #closed(connection, code) {
    if (connection !== this.#connection) return;
    const wasOpen = this.#isOpen;
    this.#connection = null;
    this.#isOpen = false;
    clearTimeout(this.#greeting);
    clearInterval(this.#beat);
    this.#ahead.clear();
    this.#noticesAhead = [];
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(new Interrupted());
    }
    this.#waiting.clear();
    this.#emit("offline", { isRevoked: code === REVOKED, wasOpen });
    if (code === REVOKED) return;
    // Jitter, so that a thousand clients do not come back in the same second.
    this.#retry = window.setTimeout(() => this.connect(), this.#delay * (0.5 + Math.random()));
    this.#delay = Math.min(LONGEST, this.#delay * 2);
  }

  /** @param {string} name @param {unknown} detail */
  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/** @param {unknown} error */
function ignoreInterrupted(error) {
  if (!(error instanceof Interrupted)) throw error; // the next hello resumes anyway
}

export const socket = new Socket();

/**
 * Listen to the socket; returns how to stop.
 * @template T
 * @param {string} name
 * @param {(detail: T) => void} run
 * @returns {() => void}
 */
export function listen(name, run) {
  const listener = (/** @type {Event} */ event) => run(/** @type {CustomEvent<T>} */ (event).detail);
  socket.addEventListener(name, listener);
  return () => socket.removeEventListener(name, listener);
}

for (const name of ["online", "offline", "focus"]) window.addEventListener(name, () => socket.connectNow());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") socket.connectNow();
});
