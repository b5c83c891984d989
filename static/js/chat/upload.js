// @ts-check
/** Uploads of a composer: drop, paste or pick; each file has its bar, speed, cancel and retry, and goes on after a break. */

import { Problem, request } from "../shell/api.js";
import { clone, icon, make, one } from "../shell/dom.js";
import { announce } from "../shell/live-region.js";
import { page, size, t } from "../shell/page.js";
import { listen } from "../shell/socket.js";
import { toast } from "../shell/toasts.js";
import { Turns } from "./turns.js";

/** @typedef {import("./model.js").Attachment} Attachment */

const MOST = 10;
const TRIES = 6;
const API = "/api/v1/files/";
const BUSY = "files.too_many_uploads";
const LOOK_AGAIN_MS = 2000; // other tabs and devices of the person take turns too
export const turns = new Turns(); // of all composers of the page
/** What was chosen for a draft and not sent yet, by draft: uploads go on while another conversation is open. @type {Map<string, Upload[]>} */
const chosen = new Map();
/** Stopped by a break of the connection. @type {Set<Upload>} */
const broken = new Set();

/** One file on its way; `changed` is called with each new state. */
export class Upload {
  /** @param {File} file @param {() => void} changed */
  constructor(file, changed) {
    this.file = file;
    this.changed = changed;
    /** @type {"waiting" | "running" | "paused" | "failed" | "done"} */
    this.state = "waiting";
    this.id = "";
    this.received = 0;
    this.chunk = 4 * 1024 * 1024;
    this.element = clone("upload-template");
    this.started = performance.now();
    /** @type {XMLHttpRequest | null} */
    this.sending = null;
    this.isGone = false;
    one(".file__name", this.element).textContent = file.name;
    one("[data-cancel]", this.element).addEventListener("click", () => this.element.dispatchEvent(new CustomEvent("upload:cancel", { bubbles: true, detail: this })));
    one("[data-resume]", this.element).addEventListener("click", () => this.run());
  }

  /** @returns {Attachment} */
  get attachment() {
    return { id: this.id, name: this.file.name, media_type: this.file.type || "application/octet-stream", size_bytes: this.file.size };
  }

  /** It was uploaded before, under this id. @param {string} id */
  finish(id) {
    this.id = id;
    this.received = this.file.size;
    this.#to("done");
  }

  /** Say what became of it after it was uploaded. @param {string} said */
  refuse(said) {
    this.#to("failed", said);
    one("[data-resume]", this.element).hidden = true; // the same file would be refused again
  }

  /** Wait for a turn, then upload. */
  async run() {
    this.#to("waiting", t("upload.waiting"));
    await turns.take();
    try {
      if (!this.isGone) await this.#upload();
    } finally {
      turns.done();
    }
  }

  async #upload() {
    try {
      if (this.id) this.received = await this.#reached();
      else await this.#begin();
      this.#to("running", "");
      this.started = performance.now();
      const first = this.received;
      do {
        await this.#put(this.chunk, first);
      } while (this.received < this.file.size && !this.isGone);
      if (this.isGone) return;
      this.#to("done");
      announce(t("upload.finished", { name: this.file.name }));
    } catch (error) {
      if (this.isGone) return;
      if (!(error instanceof Problem)) throw error;
      if (error.status === 0) announce(t("upload.offline"));
      if (error.status === 0 || error.status >= 500) this.#to("paused", t("upload.paused", { percent: Math.round(this.#percent(this.received)) }));
      else this.#to("failed", error.detail || t("failed"));
    }
  }

  /** Announce the file; it waits on while others of the same person take all turns elsewhere. */
  async #begin() {
    for (;;) {
      try {
        const begun = await (await request("POST", API, { json: { name: this.file.name, size_bytes: this.file.size } })).json();
        this.id = begun.id;
        this.received = begun.received_bytes;
        this.chunk = begun.chunk_bytes;
        if (this.isGone) await this.#forget();
        return;
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== BUSY || this.isGone) throw error;
        await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS * (0.8 + 0.4 * Math.random())));
        if (this.isGone) throw error;
      }
    }
  }

  /** One chunk, tried again after a break from where the server says it is. @param {number} chunk @param {number} first */
  async #put(chunk, first) {
    for (let attempt = 1; ; attempt++) {
      try {
        this.received = await this.#send(chunk, first);
        return;
      } catch (error) {
        if (!(error instanceof Problem) || this.isGone) throw error;
        const isBreak = error.status === 0 || error.status >= 500 || error.status === 429 || error.status === 409;
        if (!isBreak || attempt === TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, Math.min(8000, 300 * 2 ** attempt) * (0.5 + Math.random())));
        this.received = await this.#reached();
      }
    }
  }

  /** How far the server is; while it does not answer, as far as was known. */
  async #reached() {
    try {
      return (await (await request("GET", `${API}${this.id}/`)).json()).received_bytes;
    } catch (error) {
      if (error instanceof Problem && error.status === 0) return this.received;
      throw error;
    }
  }

  /** fetch tells no progress, so this is the one place for XMLHttpRequest. @param {number} chunk @param {number} first @returns {Promise<number>} */
  #send(chunk, first) {
    const start = this.received;
    const end = Math.min(start + chunk, this.file.size);
    const sending = new XMLHttpRequest();
    this.sending = sending;
    return new Promise((resolve, reject) => {
      sending.open("PUT", `${API}${this.id}/content`);
      sending.setRequestHeader("X-CSRFToken", page.csrf);
      sending.setRequestHeader("Accept", "application/json");
      sending.setRequestHeader("Content-Type", "application/octet-stream");
      sending.setRequestHeader("Organization", page.organization?.id ?? "");
      sending.setRequestHeader("Content-Range", `bytes ${start}-${Math.max(start, end - 1)}/${this.file.size}`);
      sending.upload.addEventListener("progress", (event) => this.#show(start + event.loaded, first));
      sending.addEventListener("load", () => {
        const isJson = (sending.getResponseHeader("Content-Type") ?? "").includes("json");
        const answer = isJson ? JSON.parse(sending.responseText) : {};
        if (sending.status < 300) resolve(answer.received_bytes ?? end);
        else reject(new Problem({ ...answer, status: sending.status }));
      });
      sending.addEventListener("error", () => reject(new Problem({ status: 0 })));
      sending.addEventListener("abort", () => reject(new Problem({ status: 0 })));
      sending.send(this.file.slice(start, end));
    });
  }

  async cancel() {
    this.isGone = true;
    broken.delete(this);
    this.sending?.abort();
    this.element.remove();
    if (this.id) await this.#forget();
  }

  async #forget() {
    try {
      await request("DELETE", `${API}${this.id}/`);
    } catch (error) {
      if (!(error instanceof Problem)) throw error; // an upload nobody finishes is removed by the server later
    }
  }

  /** @param {number} bytes */
  #percent(bytes) {
    return this.file.size ? (100 * Math.min(bytes, this.file.size)) / this.file.size : 100;
  }

  /** @param {number} bytes @param {number} first */
  #show(bytes, first) {
    const bar = /** @type {HTMLProgressElement} */ (one("progress", this.element));
    const percent = this.#percent(bytes);
    bar.value = Math.max(bar.value, percent);
    bar.setAttribute("aria-label", t("upload.progress", { name: this.file.name, percent: Math.round(percent) }));
    const seconds = (performance.now() - this.started) / 1000;
    const speed = (bytes - first) / Math.max(0.1, seconds);
    const left = Math.ceil((this.file.size - bytes) / Math.max(1, speed));
    const parts = [t("upload.of", { done: size(Math.min(bytes, this.file.size)), total: size(this.file.size) })];
    if (seconds > 1 && left > 0) parts.push(`${size(speed)}/s`, t("upload.left", { seconds: left }));
    one(".file__note", this.element).textContent = parts.join(", ");
  }

  /** @param {"waiting" | "running" | "paused" | "failed" | "done"} state @param {string} [note] */
  #to(state, note) {
    this.state = state;
    if (state === "paused" && !this.isGone) broken.add(this);
    else broken.delete(this);
    const bar = one("progress", this.element);
    this.element.classList.toggle("file--bad", state === "failed");
    bar.classList.toggle("is-warn", state === "paused");
    bar.hidden = state === "failed" || state === "done";
    one("[data-resume]", this.element).hidden = state !== "paused" && state !== "failed";
    one(":scope > .icon", this.element).replaceWith(icon(state === "done" ? "document" : state === "failed" ? "warn" : "upload"));
    if (note !== undefined) one(".file__note", this.element).textContent = note;
    else if (state === "done") one(".file__note", this.element).textContent = `${size(this.file.size)}, ${t("upload.done")}`;
    const cancel = one("[data-cancel]", this.element);
    if (state === "done") cancel.title = one(".sr", cancel).textContent = t("upload.remove", { name: this.file.name });
    this.changed();
  }
}

/** The files of one composer. */
export class Uploads {
  /** @param {HTMLFormElement} form @param {string} draft @param {() => void} changed */
  constructor(form, draft, changed) {
    this.form = form;
    this.draft = draft;
    this.changed = changed;
    this.shelf = one("[data-files]", form);
    this.#takeBack();
    if (!form.dataset.uploadsAtOnce) return;
    turns.most = Number(form.dataset.uploadsAtOnce);
    const picker = /** @type {HTMLInputElement | null} */ (form.querySelector("[data-pick]"));
    picker?.addEventListener("change", () => {
      this.add(picker.files ?? []);
      picker.value = "";
    });
    form.addEventListener("paste", (event) => {
      const files = event.clipboardData?.files;
      if (!files?.length) return;
      event.preventDefault();
      this.add(files);
    });
    acceptDrops(/** @type {HTMLElement} */ (form.closest(".main, .panel")), t("drop"), (files) => this.add(files));
    this.shelf.addEventListener("upload:cancel", (event) => this.#drop(/** @type {CustomEvent<Upload>} */ (event).detail));
  }

  /** Its files, also those chosen before another conversation was opened. @returns {Upload[]} */
  get files() {
    return chosen.get(this.draft) ?? [];
  }

  #takeBack() {
    for (const upload of this.files) {
      upload.changed = this.changed;
      this.shelf.append(upload.element);
    }
    this.shelf.hidden = !this.files.length;
  }

  /** @param {Upload[]} files */
  #keep(files) {
    if (files.length) chosen.set(this.draft, files);
    else chosen.delete(this.draft);
    this.shelf.hidden = !files.length;
  }

  get running() {
    return this.files.filter((upload) => ["waiting", "running", "paused"].includes(upload.state)).length;
  }

  get hasFailed() {
    return this.files.some((upload) => upload.state === "failed");
  }

  get isReady() {
    return this.files.every((upload) => upload.state === "done");
  }

  /** @param {Iterable<File>} files */
  add(files) {
    for (const file of files) {
      if (this.files.length >= MOST) {
        toast(t("too_many_files", { limit: MOST }), { bad: true });
        return;
      }
      const upload = new Upload(file, this.changed);
      this.#keep([...this.files, upload]);
      this.shelf.append(upload.element);
      upload.run();
    }
  }

  /** Take back those of a message that was not sent. @param {Attachment[]} attachments */
  putBack(attachments) {
    for (const { id, name, media_type, size_bytes } of attachments) {
      const upload = new Upload(/** @type {File} */ ({ name, type: media_type, size: size_bytes }), this.changed);
      this.#keep([...this.files, upload]);
      this.shelf.append(upload.element);
      upload.finish(id);
    }
  }

  /** The finished files, for the message that is sent now. */
  take() {
    const taken = this.files.map((upload) => upload.attachment);
    this.#keep([]);
    this.shelf.replaceChildren();
    return taken;
  }

  /** @param {Upload} upload */
  #drop(upload) {
    upload.cancel();
    this.#keep(this.files.filter((each) => each !== upload));
    this.changed();
  }
}

// What a break stopped goes on when there is a line again; one that the server does not take now waits for the hand.
const goOn = () => [...broken].forEach((upload) => upload.run());
listen("open", goOn);
window.addEventListener("online", goOn);

/** Take files that are dropped on a region. @param {HTMLElement} region @param {string} said @param {(files: Iterable<File>) => void} take */
export function acceptDrops(region, said, take) {
  let depth = 0;
  const sign = make("div", { class: "drop" }, icon("upload"), said);
  const hasFiles = (/** @type {DragEvent} */ event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const place = region.querySelector(".stream-wrap") ?? region;
  region.addEventListener("dragenter", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth += 1;
    place.append(sign);
  });
  region.addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
  region.addEventListener("dragleave", (event) => {
    if (hasFiles(event) && --depth <= 0) sign.remove();
  });
  region.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = 0;
    sign.remove();
    take(event.dataTransfer?.files ?? []);
  });
}
