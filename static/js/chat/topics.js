// @ts-check
/** Topics among the messages of a channel: the head above each run of messages of one topic. */

import { all, clone } from "../shell/dom.js";

const NOTHING = "00000000-0000-0000-0000-000000000000";
const CONVERSATION = "00000000-0000-0000-0000-000000000001";

/** htmx has to see it where it stands in the page. @param {string} conversation @param {{id: string, name: string} | null} topic */
export function topicHead(conversation, topic) {
  const head = topic ? clone("topic-template", { [NOTHING]: topic.id, [CONVERSATION]: conversation }) : clone("general-template", { [CONVERSATION]: conversation });
  if (topic) for (const name of all("[data-topic-name]", head)) name.textContent = topic.name;
  return head;
}

/** A topic has another name, or is resolved or open again. @param {{topic_id: string, name: string}} changed */
export function topicChanged({ topic_id, name }) {
  const shown = all(`[data-topic-name="${topic_id}"]`);
  const before = shown[0]?.textContent?.toLocaleLowerCase();
  for (const each of shown) each.textContent = name;
  const field = document.querySelector("#main [data-topic-field]");
  if (field instanceof HTMLInputElement && field.value.toLocaleLowerCase() === before) field.value = name;
}

/** Two heads without a message between them, or the same topic twice: one is enough. @param {HTMLElement} root */
export function tidyTopics(root) {
  /** @type {HTMLElement | null} */
  let last = null;
  let isEmpty = false;
  for (const part of all(".topic, .message[data-sequence]", root)) {
    if (!part.matches(".topic")) {
      isEmpty = false;
      continue;
    }
    if (last && isEmpty) last.remove();
    if (last && !isEmpty && last.dataset.topicHead === part.dataset.topicHead) {
      part.remove();
      continue;
    }
    last = part;
    isEmpty = true;
  }
  if (last && isEmpty) last.remove();
}
