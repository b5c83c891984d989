// @ts-check
/** Files that are added to the library: each is uploaded, made a document, and stands in the list then. */

import "./console/file-form.js";
import "./console/filter.js";
import "./shell/live-part.js";
import { acceptDrops, turns, Upload } from "./chat/upload.js";
import { Problem, request } from "./shell/api.js";
import { one } from "./shell/dom.js";
import { announce } from "./shell/live-region.js";
import { component } from "./shell/mount.js";
import { t } from "./shell/page.js";

component("[data-with-script]", (element) => {
  element.hidden = false;
});

component("[data-adds]", (shelf) => {
  turns.most = Number(shelf.dataset.adds);
  const picker = /** @type {HTMLInputElement} */ (document.querySelector("[data-pick]"));

  const show = () => {
    shelf.hidden = !shelf.children.length;
  };

  const drawAgain = () =>
    /** @type {any} */ (window).htmx.ajax("GET", location.pathname + location.search, { target: "#found", select: "#found", swap: "outerHTML" });

  /** @param {Upload} upload */
  const addToLibrary = async (upload) => {
    one(".file__note", upload.element).textContent = t("documents.adding");
    try {
      await request("POST", "/api/v1/documents/", { json: { file: upload.id } });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      upload.refuse(error.detail || t("failed"));
      announce(`${upload.file.name}: ${error.detail}`);
      return;
    }
    announce(t("documents.added", { name: upload.file.name }));
    upload.element.remove();
    show();
    drawAgain();
  };

  /** @param {Iterable<File>} files */
  const take = (files) => {
    for (const file of files) {
      let isAdded = false;
      const upload = new Upload(file, () => {
        if (upload.state !== "done" || isAdded) return;
        isAdded = true;
        addToLibrary(upload);
      });
      shelf.append(upload.element);
      show();
      upload.run();
    }
  };

  const pick = () => {
    take(picker.files ?? []);
    picker.value = "";
  };
  picker.addEventListener("change", pick);
  shelf.addEventListener("upload:cancel", (event) => {
    /** @type {CustomEvent<Upload>} */ (event).detail.cancel();
    show();
  });
  acceptDrops(/** @type {HTMLElement} */ (shelf.closest(".main")), t("documents.drop"), take);
});
