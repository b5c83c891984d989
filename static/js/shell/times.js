// @ts-check
/** Times in the reader's zone and language, also those the server wrote before it knew the zone. */

import { component } from "./mount.js";
import { page } from "./page.js";

const language = page.language === "en" ? "en-GB" : page.language;
const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" });
const full = new Intl.DateTimeFormat(language, { day: "numeric", month: "long", year: "numeric" });
const words = new Intl.DateTimeFormat(language, { weekday: "long", day: "numeric", month: "long" });
const wordsWithYear = new Intl.DateTimeFormat(language, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });

/** The day in the reader's zone as `2026-11-24`. @param {Date} when */
export function dayKey(when) {
  return `${when.getFullYear()}-${String(when.getMonth() + 1).padStart(2, "0")}-${String(when.getDate()).padStart(2, "0")}`;
}

/** @param {Date} when @param {string} form `time`, `day`, `stamp` or `full` */
export function written(when, form) {
  if (form === "time") return clock.format(when);
  if (form === "day") return day.format(when);
  if (form === "full") return `${full.format(when)}, ${clock.format(when)}`;
  return dayKey(when) === dayKey(new Date()) ? clock.format(when) : `${day.format(when)}, ${clock.format(when)}`;
}

/** `Today`, `Yesterday`, or the day in words. @param {Date} when */
export function dayName(when) {
  const days = Math.round((new Date(dayKey(when)).getTime() - new Date(dayKey(new Date())).getTime()) / 86_400_000);
  const name = days === 0 || days === -1 ? relative.format(days, "day") : when.getFullYear() === new Date().getFullYear() ? words.format(when) : wordsWithYear.format(when);
  return name.charAt(0).toLocaleUpperCase(language) + name.slice(1);
}

component("time[data-form]", (element) => {
  const when = new Date(element.getAttribute("datetime") ?? "");
  element.textContent = written(when, element.dataset.form ?? "time");
  element.title = written(when, "full");
});

/** The server reads the zone from here and writes the next page in it. */
export function rememberZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  document.cookie = `timezone=${encodeURIComponent(zone)}; path=/; max-age=31536000; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
}
