// Names what Material's own script adds after the page has loaded, for readers who listen to it:
// the bar of buttons on a block of code is a landmark, and several need several names.
const name = () => {
  document.querySelectorAll("nav.md-code__nav:not([aria-label])").forEach((bar) => {
    const blocks = [...document.querySelectorAll(".md-code__nav")];
    bar.setAttribute("aria-label", `Block of code ${blocks.indexOf(bar) + 1}`);
  });
};
name();
new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
