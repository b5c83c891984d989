// @ts-check
/** Small helpers around elements. Nothing here knows the product. */

import { page } from "./page.js";

/**
 * The element for a selector, or an error: for parts a template promises.
 * @template {Element} [T=HTMLElement]
 * @param {string} selector
 * @param {ParentNode} [root]
 * @returns {T}
 */
export function one(selector, root = document) {
  const found = root.querySelector(selector);
  if (!found) throw new Error(`missing in the page: ${selector}`);
  return /** @type {T} */ (/** @type {unknown} */ (found));
}

/**
 * @template {Element} [T=HTMLElement]
 * @param {string} selector
 * @param {ParentNode} [root]
 * @returns {T[]}
 */
export function all(selector, root = document) {
  return /** @type {T[]} */ (/** @type {unknown} */ ([...root.querySelectorAll(selector)]));
}

/**
 * A new element: `make("button", {class: "btn", type: "button"}, icon("close", "s"), "Close")`.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | boolean | number | undefined>} [attributes] true sets an empty one, false and undefined none
 * @param {...(Node | string | undefined)} children
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** A symbol of the sprite. @param {string} name @param {"" | "s"} [size] */
export function icon(name, size = "") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", size ? "icon icon--s" : "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${page.icons}#${name}`);
  svg.append(use);
  return svg;
}

/** Words only a screen reader says. @param {string} text */
export function spoken(text) {
  return make("span", { class: "sr" }, text);
}

/**
 * The content of a `<template>`, with the ids it was drawn with replaced in every attribute.
 * @param {string} id
 * @param {Record<string, string>} [replaced]
 */
export function clone(id, replaced = {}) {
  const copy = document.createElement("template");
  const source = /** @type {HTMLTemplateElement} */ (one(`#${id}`)).innerHTML;
  copy.innerHTML = Object.entries(replaced).reduce((text, [from, to]) => text.replaceAll(from, to), source);
  return /** @type {HTMLElement} */ (copy.content.firstElementChild);
}

/** Whether the reader is typing somewhere. @param {EventTarget | null} target */
export function isField(target) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/**
 * Call at most once each `wait` milliseconds, the last call always.
 * @template {unknown[]} A
 * @param {(...values: A) => void} run
 * @param {number} wait
 */
export function throttle(run, wait) {
  let timer = 0;
  /** @type {A | undefined} */
  let pending;
  const fire = () => {
    timer = 0;
    if (!pending) return;
    const values = pending;
    pending = undefined;
    timer = window.setTimeout(fire, wait);
    run(...values);
  };
  return (/** @type {A} */ ...values) => {
    pending = values;
    if (!timer) fire();
  };
}

/**
 * Call once, when there were no calls for `wait` milliseconds; `now()` calls what is pending.
 * @template {unknown[]} A
 * @param {(...values: A) => void} run
 * @param {number} wait
 */
export function debounce(run, wait) {
  let timer = 0;
  /** @type {A | undefined} */
  let pending;
  const now = () => {
    clearTimeout(timer);
    if (!pending) return;
    const values = pending;
    pending = undefined;
    run(...values);
  };
  const later = (/** @type {A} */ ...values) => {
    pending = values;
    clearTimeout(timer);
    timer = window.setTimeout(now, wait);
  };
  return Object.assign(later, { now });
}
