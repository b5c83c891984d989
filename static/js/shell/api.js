// @ts-check
/** Requests to our own server: CSRF, JSON, and refusals as `Problem`. */

import { all } from "./dom.js";
import { page, t } from "./page.js";

/** A refusal the server explained, or no answer at all (`status` 0). */
export class Problem extends Error {
  /** @param {{status: number, code?: string, detail?: string, request_id?: string}} problem */
  constructor({ status, code = "", detail = "", request_id = "" }) {
    super(detail || code || String(status));
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.request = request_id;
  }
}

/**
 * @param {string} method
 * @param {string} path
 * @param {{form?: Record<string, string | string[]>, json?: unknown, headers?: Record<string, string>, keepalive?: boolean, accept?: string, signal?: AbortSignal}} [options]
 * @returns {Promise<Response>}
 */
export async function request(method, path, { form, json, headers = {}, keepalive, accept = "application/json", signal } = {}) {
  const sent = new Headers({ Accept: accept, "X-Requested-With": "fetch", ...headers });
  if (method !== "GET") sent.set("X-CSRFToken", page.csrf);
  if (page.organization && path.startsWith("/api/")) sent.set("Organization", page.organization.id);
  let body;
  if (json !== undefined) {
    body = JSON.stringify(json);
    sent.set("Content-Type", "application/json");
  } else if (form) {
    body = new URLSearchParams();
    for (const [name, value] of Object.entries(form)) for (const item of [value].flat()) body.append(name, item);
  }
  let answer;
  try {
    answer = await fetch(path, { method, body, headers: sent, keepalive, signal, credentials: "same-origin" });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem({ status: 0, detail: method === "GET" ? "" : t("no_answer.write") });
  }
  if (!answer.ok) throw await problem(answer);
  return answer;
}

/** Take the token that writes need now from this page as it would be drawn, for scripts and for the forms that stand here. */
export async function renewToken() {
  const drawn = await (await request("GET", location.href, { accept: "text/html" })).text();
  const data = new DOMParser().parseFromString(drawn, "text/html").getElementById("page-data");
  page.csrf = JSON.parse(data?.textContent ?? "{}").csrf ?? page.csrf;
  for (const field of /** @type {HTMLInputElement[]} */ (all("[name=csrfmiddlewaretoken]"))) field.value = page.csrf;
}

/** @param {Response} answer */
async function problem(answer) {
  const type = answer.headers.get("Content-Type") ?? "";
  const found = type.includes("json") ? await answer.json() : {};
  return new Problem({ ...found, status: answer.status });
}
