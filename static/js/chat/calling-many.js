// @ts-check
/** Calling many people at once is asked about first. What waits in the outbox asks below the message itself. */

import { Problem, request } from "../shell/api.js";
import { closeDialog, showDialog } from "../shell/dialog.js";
import { make, one } from "../shell/dom.js";
import { t } from "../shell/page.js";

const UNCONFIRMED = "chat.mass_mention_unconfirmed";

/** Send a form; one that calls many people goes out once that is meant. @param {string} path @param {Record<string, string>} form @returns {Promise<Response | null>} null where it is not meant */
export async function sendMeant(path, form) {
  try {
    return await request("POST", path, { form });
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== UNCONFIRMED) throw error;
    return (await isMeant(error.detail)) ? request("POST", path, { form: { ...form, confirm_mass_mention: "1" } }) : null;
  }
}

/** @param {string} reason @returns {Promise<boolean>} */
function isMeant(reason) {
  const cancel = make("button", { class: "btn", type: "button", "data-dialog-close": true }, t("cancel"));
  const send = make("button", { class: "btn btn--primary", type: "button" }, t("send_to_all"));
  showDialog(t("call_many"), make("p", {}, reason), make("div", { class: "dialog__foot" }, cancel, send));
  return new Promise((resolve) => {
    send.addEventListener("click", () => {
      resolve(true);
      closeDialog();
    });
    one("#dialog").addEventListener("close", () => resolve(false), { once: true });
  });
}
