// @ts-check
/** System, light, dark: shown at once, kept in the cookie that the server reads and in the account. */

import { request } from "./api.js";
import { component } from "./mount.js";
import { inOrganization, page, t } from "./page.js";
import { explain } from "./toasts.js";
import { announce } from "./live-region.js";

let saving = Promise.resolve();
const order = /** @type {const} */ (["system", "light", "dark"]);

/** @param {string} name */
export function show(name) {
  const root = document.documentElement;
  if (name === "system") delete root.dataset.theme;
  else root.dataset.theme = name;
  document.cookie = `theme=${name}; path=/; max-age=31536000; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
}

component("[data-theme-switch]", (button) => {
  button.addEventListener("click", () => {
    const now = document.documentElement.dataset.theme ?? "system";
    const next = order[(order.findIndex((name) => name === now) + 1) % order.length];
    show(next);
    announce(t(`theme.${next}`));
    button.title = t(`theme.${next}`);
    // One after the other: the last choice has to be the last that arrives.
    if (page.me) saving = saving.then(() => request("POST", inOrganization("settings/theme/"), { form: { theme: next } })).then(() => undefined, explain);
  });
});

component("[data-theme-choice]", (field) => {
  field.addEventListener("change", (event) => {
    if (event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement) show(event.target.value);
  });
});
