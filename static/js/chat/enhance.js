// @ts-check
/** What a script adds to rendered Markdown: a head with a copy button on code, a frame that scrolls around wide tables. */

import { copy } from "../shell/clipboard.js";
import { all, icon, make } from "../shell/dom.js";
import { component } from "../shell/mount.js";
import { t } from "../shell/page.js";

/** @param {HTMLElement} root */
export function enhance(root) {
  for (const block of all("pre", root)) {
    if (block.closest(".code")) continue;
    const code = block.textContent ?? "";
    const language = [...(block.querySelector("code")?.classList ?? [])].find((name) => name.startsWith("language-"))?.slice(9);
    const lines = code.replace(/\n$/, "").split("\n").length;
    const button = make("button", { class: "btn btn--quiet btn--small", type: "button" }, icon("copy", "s"), t("code.copy"));
    button.addEventListener("click", async () => {
      if (await copy(code)) button.replaceChildren(icon("check", "s"), t("copied"));
    });
    const figure = make("figure", { class: "code" }, make("figcaption", { class: "code__head" }, t("code.lines", { language: language ?? "text", count: lines }), button));
    block.before(figure);
    block.tabIndex = 0;
    figure.append(block);
  }
  for (const table of all("table", root)) {
    if (table.closest(".mtable")) continue;
    const frame = make("div", { class: "mtable", tabindex: 0, role: "group", "aria-label": t("table") });
    table.before(frame);
    frame.append(table);
  }
}

component(".message__text:not([data-card])", enhance);
