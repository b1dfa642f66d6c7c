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
 * worker.js lies beside this script, so any sub-path will do. kit.browser.component writes the
 * file. What a reader types and what the file says reach the page as text nodes only.
 *
 * For tests and styles: `data-state` on the div is idle, loading, ready, recorded or broken; the
 * verdict and the rows of bars carry `data-label` and `data-probability`.
 */

const WORKER = new URL("./worker.js", import.meta.url);
const RECORDED = "The answers below were recorded when the model was evaluated.";
const mounted = new Map();

/** Mount every classifier of the document once; stop those that have left it. */
export function mountAll() {
  for (const [root, classifier] of mounted) {
    if (root.isConnected) continue;
    classifier?.stop();
    mounted.delete(root);
  }
  for (const root of document.querySelectorAll(".kit-classifier")) {
    if (!mounted.has(root)) mount(root);
  }
}

async function mount(root) {
  mounted.set(root, null); // before the wait, so that a second call finds it taken
  const source = new URL(root.dataset.config ?? "demo.json", document.baseURI);
  try {
    const response = await fetch(source, { cache: "no-cache" });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    const config = await response.json();
    mounted.set(root, new Classifier(root, config, source));
    fillLinks(config, source);
  } catch (error) {
    root.dataset.state = "broken";
    const what = `The demo could not start: ${source.pathname} (${error.message}).`;
    const advice = "Check your connection and reload the page.";
    root.replaceChildren(element("p", { role: "alert" }, `${what} ${advice}`));
  }
}

class Classifier {
  constructor(root, config, source) {
    this.root = root;
    this.config = config;
    this.source = source;
    this.total = config.model_bytes + config.runtime_bytes;
    this.runs = 0;
    this.create();
    this.lay();
    this.listen();
    this.choose(config.samples[0]);
    const obstacle = obstacleTo(config);
    if (obstacle) this.recordedOnly(obstacle);
    else this.enter("idle", "Pick an example, or write your own text.");
  }

  create() {
    const { config } = this;
    const size = `(${megabytes(this.total, 0)} MB, stays in your browser)`;
    this.box = element("textarea", { class: "kc-box", rows: 3, spellcheck: "false" });
    this.loadButton = button("kc-primary", "Load the model ", quiet(size));
    this.runButton = button("kc-primary", "Run");
    this.cancelButton = button("kc-secondary", "Cancel");
    const bar = { max: this.total, "aria-label": "Loading the model", tabindex: -1 };
    this.progress = element("progress", bar);
    this.bytes = element("span", { class: "kc-bytes" });
    this.message = element("p", { class: "kc-message", role: "status" });
    this.verdict = element("p", { class: "kc-verdict", "aria-live": "polite" });
    this.verdict.setAttribute("aria-atomic", "true");
    this.origin = element("span", { class: "kc-origin" });
    this.rows = new Map(config.labels.map((label) => [label, new Row(label)]));
    this.samples = new Map(config.samples.map((sample) => [sample, sampleButton(sample)]));
  }

  lay() {
    const { title, max_length: limit, parity_url: parity } = this.config;
    const reads = limit ? ` The model reads up to ${limit} tokens.` : "";
    const rows = [...this.rows.values()].map((row) => row.node);
    // Not ul and li: a theme's rules for the lists of an article would reach them.
    const samples = [...this.samples.values()].map((node) =>
      element("div", { role: "listitem" }, node),
    );
    const source = element("p", { class: "kc-source" }, this.origin);
    source.append(link(parity, this.source, "Checked against Python") ?? "");
    const caption = (text) => element("span", { class: "kc-caption" }, text);
    this.root.replaceChildren(
      element(
        "div",
        { class: "kc-card", role: "group", "aria-label": title },
        element("label", { class: "kc-field" }, caption("Text"), this.box),
        element(
          "div",
          { class: "kc-actions" },
          action("idle", this.loadButton),
          action("loading", this.progress, this.bytes, this.cancelButton),
          action("ready", this.runButton, quiet(`Enter runs it.${reads}`)),
        ),
        this.message,
        element(
          "div",
          { class: "kc-answer" },
          this.verdict,
          element("div", { class: "kc-bars" }, ...rows),
          source,
        ),
        caption("Examples"),
        element("div", { class: "kc-samples", role: "list", "aria-label": "Examples" }, ...samples),
      ),
    );
  }

  listen() {
    this.loadButton.addEventListener("click", () => this.run());
    this.runButton.addEventListener("click", () => this.run());
    this.cancelButton.addEventListener("click", () => this.cancel());
    this.box.addEventListener("input", () => this.mark(null));
    this.box.addEventListener("keydown", (event) => {
      // While a word is being composed (Chinese, Japanese, Korean), Enter accepts the word.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.run();
    });
    for (const [sample, node] of this.samples) {
      node.addEventListener("click", () => this.choose(sample));
    }
  }

  /** Put an example into the box: with its recorded answer, or run it where the model is there. */
  choose(sample) {
    this.box.value = sample.text;
    if (this.root.dataset.state === "ready") this.run();
    else this.show(recorded(sample, this.config.labels), "Recorded during evaluation");
    this.mark(sample);
  }

  /** Note which example is in the box; with none, the answer on show is not for this text. */
  mark(sample) {
    for (const [other, node] of this.samples) {
      node.setAttribute("aria-pressed", String(other === sample));
    }
    this.root.classList.toggle("kc-stale", sample === null);
  }

  run() {
    const { state } = this.root.dataset;
    if (state === "loading" || state === "recorded") return;
    if (!this.box.value.trim()) {
      this.say("There is no text to answer: write some, or pick an example.");
      this.box.focus();
    } else if (state === "idle") {
      this.load();
    } else {
      this.runs += 1;
      this.asked = this.box.value;
      this.worker.postMessage({ type: "run", id: this.runs, text: this.asked });
    }
  }

  load() {
    const { model_path: model, runtime_path: runtime, runtime_version: version } = this.config;
    const clicked = document.activeElement === this.loadButton;
    this.bytesRead(0);
    this.enter("loading", "Loading the model.");
    // Not Cancel itself: a key still held down would press it.
    if (clicked) this.progress.focus();
    this.worker = new Worker(WORKER, { type: "module" });
    this.worker.onmessage = ({ data }) => this.receive(data);
    this.worker.onerror = (event) => {
      event.preventDefault();
      this.fail({ reason: "network", detail: event.message ?? "worker.js was not read" });
    };
    this.worker.postMessage({
      type: "load",
      version,
      model: new URL(model, this.source).href,
      runtime: new URL(runtime, this.source).href,
      store: this.source.pathname,
    });
  }

  receive(data) {
    if (data.type === "progress") this.bytesRead(data.bytes);
    else if (data.type === "downloaded") this.bytesRead(this.total);
    else if (data.type === "failed") this.fail(data);
    else if (data.type === "answer" && data.id === this.runs) this.report(data);
    else if (data.type === "ready") {
      this.enter("ready", "The model is ready.");
      this.box.focus({ preventScroll: true });
      this.run();
    }
  }

  report({ probabilities, tokens, limit, ms }) {
    const answer = new Map(probabilities.map(({ label, probability }) => [label, probability]));
    const time = `Computed here in ${Math.max(1, Math.round(ms))} ms`;
    this.show(answer, time);
    this.root.classList.toggle("kc-stale", this.box.value !== this.asked);
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

  cancel() {
    this.stop();
    this.enter("idle", "Loading was cancelled. Nothing is running.");
    this.loadButton.focus();
  }

  fail({ reason, detail }) {
    this.stop();
    if (reason === "memory") {
      this.recordedOnly("This device has too little free memory for the model.");
      return;
    }
    const advice = {
      network: "Check your connection, then load it again.",
      model: "Reload the page; if that does not help, try another browser.",
    };
    const what = `The model could not run: ${detail}. ${advice[reason]}`;
    this.enter("idle", what, this.elsewhere());
    if (document.activeElement !== this.box) this.loadButton.focus();
  }

  recordedOnly(obstacle) {
    this.box.readOnly = true;
    this.enter("recorded", `${obstacle} ${RECORDED}`, this.elsewhere());
    this.choose(this.config.samples[0]);
  }

  elsewhere() {
    return link(this.config.space_url, this.source, "Run it in its Space");
  }

  enter(state, message, after = null) {
    this.root.dataset.state = state;
    this.say(message, after);
  }

  say(text, after = null) {
    this.message.replaceChildren(text, ...(after ? [" ", after, "."] : []));
  }

  bytesRead(bytes) {
    this.progress.value = Math.min(bytes, this.total);
    this.bytes.textContent =
      bytes < this.total
        ? `${megabytes(bytes, 1)} of ${megabytes(this.total, 1)} MB`
        : "Starting the model";
  }

  stop() {
    this.worker?.terminate();
    this.worker = null;
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

/** What keeps the model from running here, as a sentence, or null. */
function obstacleTo(config) {
  if (!config.model_path) return "This copy of the page has no model file.";
  if (typeof WebAssembly !== "object") {
    return "This browser has no WebAssembly, which the model needs: it may be switched off.";
  }
  if (typeof Worker !== "function") return "This browser has no Web Workers: the model needs one.";
  if (navigator.deviceMemory < 1) return "This device has too little memory for the model.";
  return null;
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

function percent(probability) {
  if (probability > 0.999) return "> 99.9 %";
  if (probability < 0.001) return "< 0.1 %";
  return `${(100 * probability).toFixed(1)} %`;
}

function megabytes(bytes, digits) {
  return (bytes / 1e6).toFixed(digits);
}

/** Fill `<a data-demo-href="model_url">` of the page around, and show what was hidden with it. */
function fillLinks(config, source) {
  for (const node of document.querySelectorAll("a[data-demo-href]")) {
    const address = webAddress(config[node.dataset.demoHref], source);
    if (!address) continue;
    node.href = address;
    node.closest("[hidden]")?.removeAttribute("hidden");
  }
}

function webAddress(value, source) {
  if (!value) return null;
  const address = new URL(value, source);
  return /^https?:$/.test(address.protocol) ? address.href : null;
}

function link(value, source, text) {
  const href = webAddress(value, source);
  return href && element("a", { href }, text);
}

function sampleButton({ text, note }) {
  const parts = [element("span", { class: "kc-sample-text" }, text)];
  if (note) parts.push(element("span", { class: "kc-sample-note" }, note));
  return button("kc-sample", ...parts);
}

function action(state, ...children) {
  return element("div", { class: "kc-action", "data-when": state }, ...children);
}

function button(kind, ...children) {
  return element("button", { type: "button", class: kind }, ...children);
}

function quiet(text) {
  return element("span", { class: "kc-quiet" }, text);
}

function element(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

mountAll();
// mkdocs-material with instant navigation swaps the page's content and says so here.
window.document$?.subscribe(mountAll);
