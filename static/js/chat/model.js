// @ts-check
/** Shapes of chat as the server writes them in events, and addresses of its pages. */

import { make } from "../shell/dom.js";
import { inOrganization } from "../shell/page.js";

/**
 * @typedef {{id: string, name: string, kind: string, initials: string, tint: number, avatar: string | null, is_guest?: boolean}} Person
 * @typedef {{id: string, name: string, media_type: string, size_bytes: number}} Attachment
 * @typedef {{emoji: string, principals: string[]}} Reaction
 * @typedef {{
 *   id: string, conversation: string, sequence: number, sender: Person, body: string, html: string, sent_at: string,
 *   version: number, edited_at: string | null, deleted_at: string | null, hidden_at: string | null, files_ended_at: string | null, thread: string | null, client_key: string,
 *   topic: {id: string, name: string} | null, mentions: string[], attachments: Attachment[], reactions: Reaction[], card: {type: string} | null,
 *   priority: string, pinned_at: string | null, acknowledged: string[], previews: Array<{id: string}>,
 * }} Message
 */

/** An emoji as it is drawn: `:name:` is a picture of the organization's own. @param {string} emoji @returns {string | Node} */
export function emojiSign(emoji) {
  return /^:[a-z0-9_]{2,30}:$/.test(emoji) ? make("img", { class: "emoji-own", src: inOrganization(`emoji/${emoji.slice(1, -1)}/`), alt: emoji }) : emoji;
}

/** @param {string} conversation */
export const conversationUrl = (conversation) => inOrganization(`c/${conversation}/`);

/** @param {string} conversation @param {string} message */
export const messageUrl = (conversation, message) => inOrganization(`c/${conversation}/m/${message}/`);

/** @param {string} conversation @param {string} message */
export const threadUrl = (conversation, message) => inOrganization(`c/${conversation}/t/${message}/`);
