// @ts-check
/** The clipboard, which browsers give to pages of a secure origin only; on others the older way is tried. */

import { make } from "./dom.js";
import { t } from "./page.js";
import { toast } from "./toasts.js";

/** Copy, and say so where it can't be done. @param {string} text @returns {Promise<boolean>} */
export async function copy(text) {
  const isCopied = navigator.clipboard ? await written(text) : selected(text);
  if (!isCopied) toast(t("copy_failed"), { bad: true });
  return isCopied;
}

/** @param {string} text */
async function written(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch (error) {
    if (error instanceof DOMException) return false; // the reader, or what embeds the page, does not allow it
    throw error;
  }
}

/** @param {string} text */
function selected(text) {
  const focused = document.activeElement;
  const field = make("textarea", { class: "sr", readonly: true });
  field.value = text;
  (document.querySelector("dialog[open]") ?? document.body).append(field); // what is behind a dialog can't be chosen
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  return isCopied;
}
