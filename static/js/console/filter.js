// @ts-check
/** A filter form applies itself: what it finds is swapped in, its address is kept, the button is not needed. */

import { debounce } from "../shell/dom.js";
import { component } from "../shell/mount.js";

component("[data-without-script]", (button) => {
  button.hidden = true;
});

component("form[data-filter]", (form) => {
  if (!(form instanceof HTMLFormElement)) return;
  const apply = debounce(() => {
    const asked = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (typeof value === "string" && value) asked.set(name, value);
    const address = asked.size ? `${location.pathname}?${asked}` : location.pathname;
    const found = form.dataset.filter ?? "";
    history.replaceState(history.state, "", address);
    /** @type {any} */ (window).htmx.ajax("GET", address, { target: found, select: found, swap: "outerHTML" });
  }, 250);
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    apply();
    apply.now();
  });
});
