// @ts-check
/** What the server tells scripts about the page, and the texts in the reader's language. */

/**
 * @typedef {string | [string, string]} Text a plural is the pair of one and other
 * @typedef {{
 *   language: string, csrf: string, icons: string, texts: Record<string, Text>,
 *   me?: {id: string, name: string, member: string}, organization?: {id: string, slug: string},
 *   base?: string, socket?: string, notices?: number, emoji?: string, offline_reading?: boolean,
 * }} Page
 */

/** @param {string} id @returns {any} */
function json(id) {
  return JSON.parse(document.getElementById(id)?.textContent ?? "{}");
}

/** @type {Page} */
export const page = json("page-data");
const texts = { ...page.texts };
for (const block of document.querySelectorAll('script[type="application/json"][id^="texts-"]')) Object.assign(texts, json(block.id));
const plural = new Intl.PluralRules(page.language);

/**
 * A text with its fields filled in. `count` also chooses the plural.
 * @param {string} key
 * @param {Record<string, string | number>} [fields]
 */
export function t(key, fields = {}) {
  const found = texts[key];
  if (found === undefined) throw new Error(`no text for ${key}`);
  const text = typeof found === "string" ? found : found[plural.select(Number(fields.count ?? 0)) === "one" ? 0 : 1];
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in fields ? String(fields[name]) : whole));
}

/** An address in the reader's organization. @param {string} path */
export function inOrganization(path) {
  return `${page.base ?? "/"}${path}`;
}

const decimal = new Intl.NumberFormat(page.language, { maximumFractionDigits: 1 });
const units = /** @type {const} */ (["B", "KB", "MB", "GB", "TB"]);

/** `2,8 MB`. @param {number} bytes */
export function size(bytes) {
  const step = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log(bytes) / Math.log(1024)));
  return `${decimal.format(bytes / 1024 ** step)}\u00a0${units[step]}`;
}
