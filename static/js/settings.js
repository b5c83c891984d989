// @ts-check
/** The settings page: copy a new key, switch single keys. */

import { one } from "./shell/dom.js";
import { announce } from "./shell/live-region.js";
import { component } from "./shell/mount.js";
import { t } from "./shell/page.js";
import { singleKeysAreOff, switchSingleKeys } from "./shell/shortcuts.js";

component("[data-copy]", (button) => {
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(one(button.dataset.copy ?? "").textContent ?? "");
    button.replaceChildren(t("copied"));
    announce(t("copied"));
  });
});

component("[data-single-keys]", (box) => {
  if (!(box instanceof HTMLInputElement)) return;
  box.checked = !singleKeysAreOff();
  box.addEventListener("change", () => switchSingleKeys(!box.checked));
});
