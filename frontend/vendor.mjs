// Copies what static/vendor carries out of node_modules and writes vendor.json: name, version, licence, source, sha256.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

const modules = new URL("node_modules/", import.meta.url);
const out = new URL("../static/vendor/", import.meta.url);
const entries = [];

const read = (path) => readFileSync(new URL(path, modules), "utf8");
// A map that is not carried would be a missing file for the manifest storage.
const withoutMap = (text) => text.replace(/^\/\/# sourceMappingURL=.*$/m, "").trimEnd() + "\n";

/** Emoji as `[group, emoji, name, words]`: a fifth of the source, which also knows skin tones and emoticons. */
function emoji(language) {
  const rows = JSON.parse(read(`emoji-picker-element-data/${language}/cldr/data.json`));
  return "[\n" + rows.map((row) => JSON.stringify([row.group, row.emoji, row.annotation, row.tags.join(" ")])).join(",\n") + "\n]\n";
}

function carry(file, name, licence, text) {
  writeFileSync(new URL(file, out), text);
  const version = JSON.parse(read(`${name}/package.json`)).version;
  entries.push({ file, name, version, licence, sha256: createHash("sha256").update(text).digest("hex") });
}

for (const folder of ["emoji/", "licences/"]) mkdirSync(new URL(folder, out), { recursive: true });
carry("htmx.min.js", "htmx.org", "0BSD", withoutMap(read("htmx.org/dist/htmx.min.js")));
carry("alpine.csp.min.js", "@alpinejs/csp", "MIT", withoutMap(read("@alpinejs/csp/dist/cdn.min.js")));
carry("emoji/de.json", "emoji-picker-element-data", "Apache-2.0", emoji("de"));
carry("emoji/en.json", "emoji-picker-element-data", "Apache-2.0", emoji("en"));
writeFileSync(new URL("licences/0BSD-htmx.txt", out), read("htmx.org/LICENSE"));
writeFileSync(new URL("licences/Apache-2.0-emoji-picker-element-data.txt", out), read("emoji-picker-element-data/LICENSE"));
writeFileSync(new URL("licences/MIT-alpinejs.txt", out), readFileSync(new URL("licences/MIT-alpinejs.txt", import.meta.url), "utf8"));
writeFileSync(new URL("vendor.json", out), JSON.stringify(entries, null, 2) + "\n");
