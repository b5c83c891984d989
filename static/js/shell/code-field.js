// @ts-check
/** A field for a code of six digits submits on the sixth. */

import { component } from "./mount.js";

component(".input--code", (field) => {
  if (!(field instanceof HTMLInputElement)) return;
  field.addEventListener("input", () => {
    field.value = field.value.replace(/\D/g, "").slice(0, 6);
    if (field.value.length === 6) field.form?.requestSubmit();
  });
});
