// @ts-check
/** Bring parts of the page to life, also those that a swap brings later, and let go of those it takes away. */

/** @typedef {() => void} Teardown */

/** @type {Array<[string, (element: HTMLElement) => Teardown | void]>} */
const parts = [];
/** @type {Map<HTMLElement, Set<string>>} */
const alive = new Map();
/** @type {Map<HTMLElement, Teardown[]>} */
const endings = new Map();
let started = false;

/**
 * Run `setup` for each element that matches, now and after each swap. What it returns runs when the element is gone.
 * @param {string} selector
 * @param {(element: HTMLElement) => Teardown | void} setup
 */
export function component(selector, setup) {
  parts.push([selector, setup]);
  if (started) scan();
}

/** Look at the page again. */
export function scan() {
  for (const element of [...alive.keys()]) {
    if (element.isConnected) continue;
    for (const end of endings.get(element) ?? []) end();
    alive.delete(element);
    endings.delete(element);
  }
  for (const [selector, setup] of parts) {
    for (const element of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(selector))) {
      const known = alive.get(element) ?? new Set();
      if (known.has(selector)) continue;
      alive.set(element, known.add(selector));
      const end = setup(element);
      if (end) endings.set(element, [...(endings.get(element) ?? []), end]);
    }
  }
}

/** Called once by the entry script, when all parts are declared. */
export function start() {
  started = true;
  scan();
  document.addEventListener("htmx:after:swap", scan);
}
