// @ts-check
/** Slash commands: a line with the name of one is run instead of sent. A space before the slash sends it as text. */

import { request } from "../shell/api.js";
import { make } from "../shell/dom.js";
import { showDialog } from "../shell/dialog.js";
import { inOrganization, t } from "../shell/page.js";
import { explain, toast } from "../shell/toasts.js";
import { sendMeant } from "./calling-many.js";
import { conversationUrl } from "./model.js";

/** @typedef {{name: string, usage: string, description: string}} Command */

/** @type {Promise<Command[]> | undefined} */
let loading;

/** @returns {Promise<Command[]>} */
export function commands() {
  loading ??= request("GET", inOrganization("commands/"))
    .then((answer) => answer.json())
    .then((found) => found.commands)
    .catch(() => {
      loading = undefined; // without suggestions a command can still be written
      return [];
    });
  return loading;
}

/** @param {string} text */
export const isCommand = (text) => /^\/[a-z]{1,30}(\s|$)/.test(text);

/** What was asked for last and is not known to have run, with its key: asked for once more, it runs once. @type {{call: string, key: string, isRunning: boolean} | undefined} */
let last;

/** @param {{conversation: string, thread: string | null, topic: string, line: string}} call @returns {Promise<boolean>} whether it ran */
export async function runCommand({ conversation, thread, topic, line }) {
  const call = JSON.stringify([conversation, thread, topic, line]);
  if (last?.call !== call) last = { call, key: crypto.randomUUID(), isRunning: false };
  const asked = last;
  if (asked.isRunning) return false;
  asked.isRunning = true;
  try {
    const form = { line, topic, client_key: asked.key, ...(thread ? { thread } : {}) };
    const answer = await sendMeant(`${conversationUrl(conversation)}command/`, form);
    if (!answer) return false;
    if (last === asked) last = undefined;
    const outcome = await answer.json();
    if (outcome.address) location.assign(inOrganization(outcome.address));
    else if (outcome.said.includes("\n")) showDialog(t("commands"), make("ul", { class: "stack" }, ...outcome.said.split("\n").map((/** @type {string} */ each) => make("li", {}, each))));
    else if (outcome.said) toast(outcome.said);
    return true;
  } catch (error) {
    explain(error);
    return false;
  } finally {
    asked.isRunning = false;
  }
}
