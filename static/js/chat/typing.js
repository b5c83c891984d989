// @ts-check
/** Who is writing, for a few seconds after their last key. */

import { component } from "../shell/mount.js";
import { page, t } from "../shell/page.js";
import { listen } from "../shell/socket.js";

const STAY = 6000;

component("[data-typing]", (line) => {
  const conversation = line.dataset.typing;
  const thread = line.dataset.thread ?? null;
  /** @type {Map<string, {name: string, timer: number}>} */
  const writing = new Map();

  const draw = () => {
    const [name, other] = [...writing.values()].map((each) => each.name);
    line.textContent = !name ? "" : !other ? t("typing.one", { name }) : writing.size === 2 ? t("typing.two", { name, other }) : t("typing.many");
  };
  /** @param {string} id */
  const stop = (id) => {
    clearTimeout(writing.get(id)?.timer);
    if (writing.delete(id)) draw();
  };

  const ends = [
    listen("ephemeral", (/** @type {import("../shell/socket.js").Ephemeral} */ frame) => {
      if (frame.type !== "typing" || frame.conversation !== conversation || (frame.data.thread ?? null) !== thread) return;
      const { principal, name } = frame.data;
      if (principal === page.me?.id) return;
      clearTimeout(writing.get(principal)?.timer);
      writing.set(principal, { name, timer: window.setTimeout(() => stop(principal), STAY) });
      draw();
    }),
    listen("chat", (/** @type {import("../shell/socket.js").ChatEvent} */ { type, data }) => type === "message.sent" && stop(data.message.sender.id)),
  ];
  return () => ends.forEach((end) => end());
});
