// Mends what Material's own script adds after the page has loaded, for readers who do not see it:
// the buttons on a block of code are a landmark, and several need several names; a table that is
// wider than the page can be scrolled by keyboard.
let due = 0;
const mend = () => {
  due = 0;
  document.querySelectorAll("nav.md-code__nav").forEach((bar, at) => {
    if (!bar.hasAttribute("aria-label")) bar.setAttribute("aria-label", `Block of code ${at + 1}`);
  });
  document.querySelectorAll(".md-typeset__scrollwrap:not([tabindex])").forEach((wrap) => {
    wrap.tabIndex = 0;
  });
};
// Material adds one thing after another: once a frame is enough.
new MutationObserver(() => {
  due ||= requestAnimationFrame(mend);
}).observe(document.body, { childList: true, subtree: true });
mend();
