// @ts-check
/** Escape closes the topmost layer only. Dialogs and popovers close themselves; what else can close registers here. */

/** @type {Array<{rank: number, close: () => boolean}>} */
const layers = [];

/**
 * @param {number} rank higher ones are asked first
 * @param {() => boolean} close closes and says true, or says false when there was nothing to close
 */
export function onEscape(rank, close) {
  layers.push({ rank, close });
  layers.sort((one, other) => other.rank - one.rank);
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || event.isComposing) return;
  if (document.querySelector("dialog[open], [popover]:popover-open")) return;
  if (layers.some((layer) => layer.close())) event.preventDefault();
});
