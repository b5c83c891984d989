// @ts-check
/** A form with one file: it is uploaded in parts, which go on after a break, then the form is sent with its id. */

import { Upload } from "../chat/upload.js";
import { one } from "../shell/dom.js";
import { component } from "../shell/mount.js";

component("[data-file-form]", (form) => {
  if (!(form instanceof HTMLFormElement) || !document.getElementById("upload-template")) return; // then the form takes the file along
  const picker = /** @type {HTMLInputElement} */ (one("[type=file]", form));
  const button = /** @type {HTMLButtonElement} */ (one("[type=submit]", form));
  const shelf = one("[data-files]", form);
  /** @type {Upload | null} */
  let upload = null;

  const ready = () => {
    button.disabled = !!upload && upload.state !== "failed";
    if (upload?.state !== "done") return;
    /** @type {HTMLInputElement} */ (one("[name=file]", form)).value = upload.id;
    picker.disabled = true; // its bytes are there already
    form.submit();
  };

  form.addEventListener("submit", (event) => {
    const file = picker.files?.[0];
    if (!file) return;
    event.preventDefault();
    upload = new Upload(file, ready);
    shelf.replaceChildren(upload.element);
    shelf.hidden = false;
    upload.run();
  });
  shelf.addEventListener("upload:cancel", () => {
    upload?.cancel();
    upload = null;
    shelf.hidden = true;
    ready();
  });
});
