/**
 * A writer of commit messages that the reader runs in the page. Put on a page as:
 *
 *   <link rel="stylesheet" href="generator.css">
 *   <div class="kit-generator" data-config="demo.json">
 *     <noscript>Without JavaScript the model cannot run here. Recorded when it was evaluated: for a
 *     change of src/cache.py it wrote “fix(cache): retry when a key is locked”.</noscript>
 *   </div>
 *   <script type="module" src="generator.js"></script>
 *
 * `data-config` is relative to the page, every path inside that file is relative to the file, and
 * the component's other files lie beside this script, so any sub-path will do.
 * kit.browser.component writes the file.
 *
 * For tests and styles: `data-state` on the div is idle, loading, ready, recorded or broken, and it
 * has `data-busy` while a message is being written; each message carries `data-probability`.
 */

import { Demo, button, caption, element, mountAll, percent } from "./page.js";
import { changes } from "./prompts.js";
import { copy } from "./sharing.js";

const ANSWERS = 3;
const COPIED_MS = 2000;

class Generator extends Demo {
  get workerUrl() {
    return new URL("./generator-worker.js", import.meta.url);
  }

  get words() {
    return {
      field: "Diff",
      run: "Write the message",
      hint: "Ctrl+Enter runs it, and so does pasting a diff.",
      start: "Pick an example, or paste what git diff prints.",
      empty: "There is no diff to read: paste what git diff prints, or pick an example.",
    };
  }

  get boxAttributes() {
    return { rows: 10, wrap: "off", autocapitalize: "off", autocomplete: "off" };
  }

  create() {
    super.create();
    this.said = element("span", { class: "kc-unseen", role: "status" });
    const copied = (text) => {
      this.said.textContent = text;
    };
    this.first = new Line(this.verdict, copied);
    const text = () => element("span", { class: "kc-text" });
    this.others = Array.from({ length: ANSWERS - 1 }, () => new Line(text(), copied));
    this.note = caption("");
  }

  answerParts() {
    const others = this.others.map(({ node }) => element("div", { role: "listitem" }, node));
    const list = { class: "kc-others", role: "list", "aria-label": "Alternatives" };
    const head = element("div", { class: "kc-first" }, this.first.node);
    return [head, this.note, element("div", list, ...others), this.said];
  }

  listen() {
    super.listen();
    // An example is there to be replaced: pasting into the middle of it is never meant.
    this.box.addEventListener("paste", () => {
      if (this.holdsExample) this.box.select();
    });
    this.box.addEventListener("input", ({ inputType }) => {
      const pasted = inputType === "insertFromPaste" || inputType === "insertFromDrop";
      if (pasted && this.root.dataset.state === "ready") this.run();
    });
  }

  mark(sample) {
    super.mark(sample);
    this.holdsExample = sample !== null;
  }

  runsOn(enter) {
    return enter.ctrlKey || enter.metaKey;
  }

  ask(text) {
    super.ask(text);
    this.root.dataset.busy = "";
    this.origin.textContent = "Writing";
    this.say("");
  }

  question(diff) {
    return { diff, n: ANSWERS };
  }

  recall({ message }) {
    this.show([{ text: message }]);
    this.origin.textContent = "Recorded during evaluation";
  }

  report({ answers, done, lines, of, tokens, writing, ms }) {
    if (!done) {
      this.first.set(answers[0]);
      return;
    }
    delete this.root.dataset.busy;
    this.show(answers);
    this.markStale(this.box.value !== this.asked);
    const rate = Math.round((1000 * tokens) / Math.max(writing, 1));
    const time = `Computed here in ${Math.max(1, Math.round(ms))} ms`;
    this.origin.textContent = `${time}, ${rate} tokens/s`;
    const cut = "The model reads a part of a diff this long";
    this.say(lines < of ? `${cut}: ${lines} of ${of} lines, shared out between the files.` : "");
  }

  show([first, ...others]) {
    const waits = "Alternatives come with the model.";
    this.note.textContent = others.length ? "Alternatives" : waits;
    this.first.set(first);
    this.others.forEach((line, i) => line.set(others[i]));
  }

  refuse(data) {
    super.refuse(data);
    delete this.root.dataset.busy;
    this.origin.textContent = "";
  }

  fail(data) {
    this.origin.textContent = "";
    super.fail(data);
  }

  stop() {
    super.stop();
    delete this.root.dataset.busy;
  }

  sampleButton({ text, note }) {
    const [first, ...rest] = changes(text);
    const more = rest.length ? ` and ${rest.length} more` : "";
    return super.sampleButton({ text: `${first?.path ?? text.split("\n", 1)[0]}${more}`, note });
  }
}

/** One message with its probability and a button that copies it. */
class Line {
  constructor(text, copied) {
    this.text = text;
    this.copied = copied;
    this.fill = element("span", { class: "kc-fill" });
    this.number = element("span", { class: "kc-number" });
    const bar = element("span", { class: "kc-bar", "aria-hidden": "true" }, this.fill);
    const title = "The geometric mean of the model's probabilities for the tokens of the message";
    const unit = element("span", { class: "kc-unit" }, "per token");
    this.meter = element("span", { class: "kc-meter", title }, bar, this.number, unit);
    this.button = button("kc-secondary kc-copy", "Copy");
    this.button.addEventListener("click", () => this.copy());
    this.node = element("div", { class: "kc-line" }, text, this.meter, this.button);
  }

  /** Show an answer, or nothing in the place kept for it. */
  set(answer) {
    this.node.classList.toggle("kc-absent", !answer);
    const { text = "", probability } = answer ?? {};
    // Unchanged text is left alone, so that it is not read out twice.
    if (this.text.textContent !== text) this.text.textContent = text;
    this.button.setAttribute("aria-label", `Copy: ${text}`);
    this.meter.classList.toggle("kc-absent", probability === undefined);
    this.fill.style.inlineSize = `${100 * (probability ?? 0)}%`;
    this.number.textContent = probability === undefined ? "" : percent(probability);
    if (probability === undefined) delete this.text.dataset.probability;
    else this.text.dataset.probability = probability;
  }

  async copy() {
    const done = await copyText(this.text);
    this.copied(done ? "Copied." : "The message is selected: copy it with Ctrl+C.");
    this.button.textContent = done ? "Copied" : "Ctrl+C";
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.button.textContent = "Copy";
      this.copied("");
    }, COPIED_MS);
  }
}

/** Copy a node's text; where that is refused, as in some frames, leave it selected. */
async function copyText(node) {
  if (await copy(node.textContent)) return true;
  getSelection().selectAllChildren(node);
  return document.execCommand("copy");
}

mountAll(".kit-generator", Generator);
