// @ts-check
/** A form that asks a passkey or security key before it is sent: `data-passkey="use"` or `"make"`. */

import { component } from "./mount.js";
import { page } from "./page.js";

/** @param {string} text base64url @returns {ArrayBuffer} */
function bytes(text) {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (character) => character.charCodeAt(0)).buffer;
}

/** @param {ArrayBuffer | null | undefined} buffer @returns {string | undefined} */
function text(buffer) {
  if (!buffer) return undefined;
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** @param {Array<{id: string}>} [known] */
const descriptors = (known) => known?.map((entry) => ({ ...entry, id: bytes(entry.id) }));

/** @param {any} options what the server asks, in JSON @returns {Promise<any>} */
async function make({ publicKey }) {
  const asked = { ...publicKey, challenge: bytes(publicKey.challenge), user: { ...publicKey.user, id: bytes(publicKey.user.id) }, excludeCredentials: descriptors(publicKey.excludeCredentials) };
  const made = /** @type {any} */ (await navigator.credentials.create({ publicKey: asked }));
  const { clientDataJSON, attestationObject } = made.response;
  return { made, response: { clientDataJSON: text(clientDataJSON), attestationObject: text(attestationObject) } };
}

/** @param {any} options what the server asks, in JSON @returns {Promise<any>} */
async function use({ publicKey }) {
  const asked = { ...publicKey, challenge: bytes(publicKey.challenge), allowCredentials: descriptors(publicKey.allowCredentials) };
  const made = /** @type {any} */ (await navigator.credentials.get({ publicKey: asked }));
  const { clientDataJSON, authenticatorData, signature, userHandle } = made.response;
  return { made, response: { clientDataJSON: text(clientDataJSON), authenticatorData: text(authenticatorData), signature: text(signature), userHandle: text(userHandle) } };
}

component("form[data-passkey]", (element) => {
  if (!(element instanceof HTMLFormElement) || !window.PublicKeyCredential) return;
  const button = /** @type {HTMLButtonElement} */ (element.querySelector("button[type=submit]"));
  const field = /** @type {HTMLInputElement} */ (element.querySelector("[name=credential]"));
  const trouble = /** @type {HTMLElement} */ (element.querySelector("[data-passkey-error]"));
  button.disabled = false;
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    trouble.hidden = true;
    button.disabled = true;
    try {
      const answer = await fetch(element.dataset.options ?? "", { method: "POST", headers: { "X-CSRFToken": page.csrf } });
      if (!answer.ok || answer.redirected) throw new Error(`options: ${answer.status}`);
      const options = await answer.json();
      const { made, response } = await (element.dataset.passkey === "make" ? make(options) : use(options));
      field.value = JSON.stringify({ id: made.id, rawId: text(made.rawId), type: made.type, response, clientExtensionResults: made.getClientExtensionResults(), authenticatorAttachment: made.authenticatorAttachment });
      element.submit();
    } catch {
      // Stopped by the person, no key at hand, or no connection: the person sees one sentence and tries again.
      button.disabled = false;
      trouble.hidden = false;
    }
  });
});
