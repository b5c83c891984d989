// What axe finds wrong with the page as it is drawn: rule, element, reason. Empty on a good page.
// All rules of these tags; the one of WCAG 2.2, target-size, counts what is scrolled below a sticky head as small: look.js measures.
async () => {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"];
  const { violations } = await axe.run({ runOnly: tags, resultTypes: ["violations"] });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target.join(" ")} (${failureSummary.replace(/\s+/g, " ")})`));
}
