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

/** A topic has another name, or is resolved or open again. @param {string} conversation @param {{topic_id: string, name: string, former_name: string}} changed */
export function topicChanged(conversation, { topic_id, name, former_name }) {
  for (const each of all(`[data-topic-name="${topic_id}"]`)) each.textContent = name;
  if (former_name) topicWent(conversation, former_name, name);
}

/** What is being written for a topic follows it. @param {string} conversation @param {string} from @param {string} to empty is the general one */
export function topicWent(conversation, from, to) {
  document.dispatchEvent(new CustomEvent("chat:topic-went", { detail: { conversation, from, to } }));
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
