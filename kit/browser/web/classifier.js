/**
 * A text classifier that the reader runs in the page. Put on a page as:
 *
 *   <link rel="stylesheet" href="classifier.css">
 *   <div class="kit-classifier" data-config="demo.json">
 *     <noscript>Without JavaScript the model cannot run here. Recorded when it was evaluated:
 *     “A kind, funny film.” is positive, 98.2 %.</noscript>
 *   </div>
 *   <script type="module" src="classifier.js"></script>
 *
 * `data-config` is relative to the page, every path inside that file is relative to the file, and
 * the component's other files lie beside this script, so any sub-path will do.
 * kit.browser.component writes the file.
 *
 * For tests and styles: `data-state` on the div is idle, loading, ready, recorded or broken; the
 * verdict and the rows of bars carry `data-label` and `data-probability`.
 */

import { Demo, element, mountAll, percent } from "./page.js";

class Classifier extends Demo {
  get workerUrl() {
    return new URL("./worker.js", import.meta.url);
  }

  get words() {
    const { max_length: limit } = this.config;
    const reads = limit ? ` The model reads up to ${limit} tokens.` : "";
    return {
      field: "Text",
      run: "Run",
      hint: `Enter runs it.${reads}`,
      start: "Pick an example, or write your own text.",
      empty: "There is no text to answer: write some, or pick an example.",
    };
  }

  get boxAttributes() {
    return { rows: 3 };
  }

  create() {
    super.create();
    this.rows = new Map(this.config.labels.map((label) => [label, new Row(label)]));
  }

  answerParts() {
    const rows = [...this.rows.values()].map((row) => row.node);
    return [this.verdict, element("div", { class: "kc-bars" }, ...rows)];
  }

  runsOn(enter) {
    return !enter.shiftKey;
  }

  question(text) {
    return { text };
  }

  recall(sample) {
    this.show(recorded(sample, this.config.labels), "Recorded during evaluation");
  }

  report({ probabilities, tokens, limit, ms }) {
    const answer = new Map(probabilities.map(({ label, probability }) => [label, probability]));
    const time = `Computed here in ${Math.max(1, Math.round(ms))} ms`;
    this.show(answer, time);
    this.markStale(this.box.value !== this.asked);
    const cut = `The text has ${tokens} tokens; the model read the first ${limit}.`;
    this.say(tokens > limit ? cut : "");
  }

  /** Show an answer: a probability in [0, 1] for every label, undefined where none is recorded. */
  show(answer, origin) {
    const known = [...answer].filter(([, probability]) => probability !== undefined);
    const [label, probability] = known.reduce((a, b) => (b[1] > a[1] ? b : a));
    tag(this.verdict, label, probability);
    this.verdict.replaceChildren(`${label} `, element("span", {}, percent(probability)));
    for (const [name, row] of this.rows) row.set(answer.get(name), name === label);
    this.origin.textContent = origin;
  }
}

/** One label with its bar and its number. */
class Row {
  constructor(label) {
    this.label = label;
    this.fill = element("span", { class: "kc-fill" });
    this.number = element("span", { class: "kc-number" });
    const bar = element("span", { class: "kc-bar", "aria-hidden": "true" }, this.fill);
    this.node = element("div", { class: "kc-row" }, element("span", {}, label), bar, this.number);
  }

  set(probability, first) {
    this.node.classList.toggle("kc-first", first);
    this.fill.style.inlineSize = `${100 * (probability ?? 0)}%`;
    this.number.textContent = probability === undefined ? "not recorded" : percent(probability);
    tag(this.node, this.label, probability);
  }
}

function recorded({ label, probability }, labels) {
  const other = labels.length === 2 ? 1 - probability : undefined;
  return new Map(labels.map((name) => [name, name === label ? probability : other]));
}

function tag(node, label, probability) {
  node.dataset.label = label;
  if (probability === undefined) delete node.dataset.probability;
  else node.dataset.probability = probability;
}

mountAll(".kit-classifier", Classifier);
