// Mends what Material's own script adds after the page has loaded, for readers who do not see it:
// the buttons on a block of code are a landmark, and several need several names; a table that is
// wider than the page can be scrolled by keyboard; a heading cell without a word is no heading.
const mend = () => {
  document.querySelectorAll("nav.md-code__nav:not([aria-label])").forEach((bar) => {
    const blocks = [...document.querySelectorAll(".md-code__nav")];
    bar.setAttribute("aria-label", `Block of code ${blocks.indexOf(bar) + 1}`);
  });
  document.querySelectorAll(".md-typeset__scrollwrap:not([tabindex])").forEach((wrap) => {
    wrap.tabIndex = 0;
  });
  document.querySelectorAll(".md-content th:empty").forEach((cell) => {
    cell.replaceWith(document.createElement("td"));
  });
};
mend();
new MutationObserver(mend).observe(document.body, { childList: true, subtree: true });
