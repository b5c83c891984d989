// What is wrong with the page as it is drawn, once nothing fades or moves in any more. Returns lists that are empty on a good page.
async () => {
  const problems = [];
  const ends = (animation) => animation.playState === "running" && animation.effect.getComputedTiming().endTime !== Infinity;
  for (let moving = document.getAnimations().filter(ends); moving.length; moving = document.getAnimations().filter(ends)) {
    await Promise.allSettled(moving.map((animation) => animation.finished));
  }
  const width = document.documentElement.clientWidth;
  const isSeen = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const name = (element) => `${element.tagName.toLowerCase()}.${element.className.baseVal ?? element.className}`;
  if (document.documentElement.scrollWidth > width) problems.push(`page is ${document.documentElement.scrollWidth} wide`);

  for (const element of document.querySelectorAll("body *")) {
    if (!isSeen(element) || element.closest(".sr, .skip, [popover]:not(:popover-open)")) continue;
    const box = element.getBoundingClientRect();
    if (!box.width) continue;
    const scrolls = element.closest(".mtable, pre, .table-wrap, svg, .prose > table");
    if (!scrolls && (box.right > width + 1 || box.left < -1)) problems.push(`${name(element)} reaches from ${Math.round(box.left)} to ${Math.round(box.right)}`);
  }

  const pixel = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const known = new Map();
  const read = (colour) => {
    if (!known.has(colour)) known.set(colour, draw(colour));
    return known.get(colour);
  };
  const draw = (colour) => {
    pixel.clearRect(0, 0, 1, 1);
    pixel.fillStyle = colour;
    pixel.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = pixel.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  };
  const part = (value) => (value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([red, green, blue]) => 0.2126 * part(red) + 0.7152 * part(green) + 0.0722 * part(blue);
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !isSeen(element)) continue;
    if (element.closest(".sr, .skip, template, option, svg.viewer__page, [aria-disabled=true], [popover]:not(:popover-open)")) continue;
    const grounds = [];
    let opacity = 1;
    for (let above = element; above; above = above.parentElement) {
      opacity *= Number(getComputedStyle(above).opacity);
      const ground = read(getComputedStyle(above).backgroundColor);
      if (ground[3] > 0 && !(grounds.at(-1)?.[3] >= 0.999)) grounds.push(ground);
    }
    const ground = grounds.reverse().reduce((below, [red, green, blue, alpha]) => [red, green, blue].map((value, index) => value * alpha + below[index] * (1 - alpha)), [255, 255, 255]);
    const style = getComputedStyle(element);
    const ink = read(element.closest("svg") ? style.fill : style.color);
    const alpha = ink[3] * opacity;
    const drawn = [0, 1, 2].map((index) => ink[index] * alpha + ground[index] * (1 - alpha));
    const [bright, dark] = [luminance(drawn), luminance(ground)].sort((one, other) => other - one);
    const ratio = (bright + 0.05) / (dark + 0.05);
    if (ratio < 4.5) problems.push(`contrast ${ratio.toFixed(2)} of ${name(element)}: ${texts.currentNode.data.trim().slice(0, 30)}`);
  }

  for (const element of document.querySelectorAll("[style]")) problems.push(`style attribute on ${name(element)}`);
  for (const element of document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea")) {
    if (!isSeen(element)) continue;
    const label = element.getAttribute("aria-label") || element.textContent.trim() || element.labels?.[0]?.textContent.trim() || element.querySelector("img[alt]")?.alt;
    if (!label && !element.getAttribute("aria-labelledby")) problems.push(`no name: ${name(element)}`);
    const box = element.getBoundingClientRect();
    if (width < 640 && box.height && box.height < 24 && !element.closest(".sr, .skip, p, .prose, dd, td, li, label, small")) problems.push(`small: ${name(element)} ${Math.round(box.width)}x${Math.round(box.height)}`);
  }
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  for (const id of new Set(ids.filter((id, index) => ids.indexOf(id) !== index))) problems.push(`id twice: ${id}`);
  return [...new Set(problems)].slice(0, 20);
}
