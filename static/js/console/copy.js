// @ts-check
/** A button that copies a text shown only once, such as an invitation's link: `data-copy` names its place. */

import { copy } from "../shell/clipboard.js";
import { one } from "../shell/dom.js";
import { announce } from "../shell/live-region.js";
import { component } from "../shell/mount.js";
import { t } from "../shell/page.js";

component("[data-copy]", (button) => {
  button.addEventListener("click", async () => {
    if (!(await copy(one(button.dataset.copy ?? "").textContent ?? ""))) return;
    button.replaceChildren(t("copied"));
    announce(t("copied"));
  });
});
