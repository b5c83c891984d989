// @ts-check
/** A page with a marked passage: it is in view at once, and `[` and `]` go to the place before and after. */

import { component } from "./shell/mount.js";
import { t } from "./shell/page.js";
import { shortcut } from "./shell/shortcuts.js";

component(".viewer", (viewer) => {
  viewer.querySelector("[data-mark]")?.scrollIntoView({ block: "center" });
});

/** @param {"previous" | "next"} place */
const go = (place) => () => {
  const link = document.querySelector(`[data-place="${place}"]`);
  if (!(link instanceof HTMLElement)) return false;
  link.click();
};

shortcut({ keys: "[", text: t("shortcut.place_before"), run: go("previous") });
shortcut({ keys: "]", text: t("shortcut.place_after"), run: go("next") });
