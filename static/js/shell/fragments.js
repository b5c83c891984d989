// @ts-check
/** htmx under our rules: the CSRF header on each request, refusals as toasts, the page's place in rail and title. */

import { explain } from "./toasts.js";
import { Problem } from "./api.js";
import { page, t } from "./page.js";

const UNASKED = "#list, [data-live], #notifications";

document.addEventListener("htmx:config:request", (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  if (ctx.request.method !== "GET") ctx.request.headers["X-CSRFToken"] = page.csrf;
});

// A refusal of a form comes back as the form with its errors (422): that is swapped in. Any other is a sentence.
document.addEventListener("htmx:before:response", (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  const { status, raw } = ctx.response;
  // The server aims its own refusals at the toasts.
  if (status < 400 || status === 422 || raw.headers.has("HX-Retarget")) return;
  event.preventDefault();
  const isProblem = (raw.headers.get("Content-Type") ?? "").includes("problem+json");
  if (!isProblem) return explain(new Problem({ status }));
  raw.json().then((/** @type {any} */ problem) => explain(new Problem({ ...problem, status })), () => explain(new Problem({ status })));
});

document.addEventListener("htmx:error", (event) => {
  const { target, request } = /** @type {CustomEvent} */ (event).detail.ctx ?? {};
  // What a page asks for by itself it asks for again, and the banner says that there is no line.
  if (target instanceof Element && target.matches(UNASKED)) return;
  const { method = "GET" } = request ?? {};
  explain(new Problem({ status: 0, detail: method === "GET" ? "" : t("no_answer.write") }));
});
