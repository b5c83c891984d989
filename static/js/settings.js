// @ts-check
/** The settings page: what its parts remember while it is open. Loaded before Alpine, which asks for them at its start. */

import { copy } from "./shell/clipboard.js";
import { announce } from "./shell/live-region.js";
import { t } from "./shell/page.js";
import { singleKeysAreOff, switchSingleKeys } from "./shell/shortcuts.js";

document.addEventListener("alpine:init", () => {
  const { Alpine } = /** @type {any} */ (window);

  Alpine.data("copying", () => ({
    isCopied: false,
    get label() {
      return t(this.isCopied ? "copied" : "copy");
    },
    async copy() {
      if (!(await copy(/** @type {any} */ (this).$refs.secret.textContent))) return;
      this.isCopied = true;
      announce(t("copied"));
    },
  }));

  Alpine.data("singleKeys", () => ({
    areOn: !singleKeysAreOff(),
    keep() {
      switchSingleKeys(!this.areOn);
    },
  }));
});
