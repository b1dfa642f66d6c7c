/**
 * What the demos of a page share: a card with a box, a model that is loaded when the reader asks
 * for it, recorded answers until then, and the states in between. A kind of demo extends `Demo` and
 * is put on the page by
 *
 *   mountAll(".kit-classifier", Classifier);
 *
 * A kind has its `words`, the `workerUrl` and the `boxAttributes`; says when Enter runs (`runsOn`),
 * what an answer is made of (`answerParts`) and what the worker is asked (`question`); and shows
 * what is recorded (`recall`) or comes back (`report`). What a reader types and what demo.json says
 * reach the page as text nodes only.
 */

import { carriedText, copy, linkTo } from "./sharing.js";

const RECORDED = "The answers below were recorded when the model was evaluated.";

/** Mount every demo of this kind in the document once; stop those that have left it. */
export function mountAll(selector, Kind) {
  const mounted = new Map();

  async function mount(root) {
    mounted.set(root, null); // before the wait, so that a second call finds it taken
    const source = new URL(root.dataset.config ?? "demo.json", document.baseURI);
    try {
      const response = await fetch(source, { cache: "no-cache" });
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      const config = await response.json();
      mounted.set(root, new Kind(root, config, source));
      fillLinks(config, source);
    } catch (error) {
      root.dataset.state = "broken";
      const what = `The demo could not start: ${source.pathname} (${error.message}).`;
      const advice = "Check your connection and reload the page.";
      root.replaceChildren(element("p", { role: "alert" }, `${what} ${advice}`));
    }
  }

  function visit() {
    for (const [root, demo] of mounted) {
      if (root.isConnected) continue;
      demo?.stop();
      mounted.delete(root);
    }
    for (const root of document.querySelectorAll(selector)) {
      if (!mounted.has(root)) mount(root);
    }
  }

  visit();
  // mkdocs-material with instant navigation swaps the page's content and says so here.
  window.document$?.subscribe(visit);
}

export class Demo {
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
    else this.enter("idle", this.words.start);
    this.takeCarried();
  }

  create() {
    const size = `(${megabytes(this.total, 0)} MB, stays in your browser)`;
    this.box = element("textarea", { class: "kc-box", spellcheck: "false", ...this.boxAttributes });
    this.loadButton = button("kc-primary", "Load the model ", quiet(size));
    this.runButton = button("kc-primary", this.words.run);
    this.cancelButton = button("kc-secondary", "Cancel");
    const bar = { max: this.total, "aria-label": "Loading the model", tabindex: -1 };
    this.progress = element("progress", bar);
    this.bytes = element("span", { class: "kc-bytes" });
    this.shareButton = button("kc-share", "Copy a link to this text");
    this.message = element("p", { class: "kc-message", role: "status" });
    this.verdict = element("p", { class: "kc-verdict", "aria-live": "polite" });
    this.verdict.setAttribute("aria-atomic", "true");
    this.origin = element("span", { class: "kc-origin" });
    const made = this.config.samples.map((sample) => [sample, this.sampleButton(sample)]);
    this.samples = new Map(made);
  }

  lay() {
    // Not ul and li: a theme's rules for the lists of an article would reach them.
    const samples = [...this.samples.values()].map((node) =>
      element("div", { role: "listitem" }, node),
    );
    const source = element("p", { class: "kc-source" }, this.origin);
    source.append(link(this.config.parity_url, this.source, "Checked against Python") ?? "");
    source.append(this.shareButton);
    this.root.replaceChildren(
      element(
        "div",
        { class: "kc-card", role: "group", "aria-label": this.config.title },
        element("label", { class: "kc-field" }, caption(this.words.field), this.box),
        element(
          "div",
          { class: "kc-actions" },
          action("idle", this.loadButton),
          action("loading", this.progress, this.bytes, this.cancelButton),
          action("ready", this.runButton, quiet(this.words.hint)),
        ),
        this.message,
        element("div", { class: "kc-answer" }, ...this.answerParts(), source),
        caption("Examples"),
        element("div", { class: "kc-samples", role: "list", "aria-label": "Examples" }, ...samples),
      ),
    );
  }

  listen() {
    this.loadButton.addEventListener("click", () => this.run());
    this.runButton.addEventListener("click", () => this.run());
    this.cancelButton.addEventListener("click", () => this.cancel());
    this.shareButton.addEventListener("click", () => this.share());
    this.box.addEventListener("input", () => this.mark(null));
    this.box.addEventListener("keydown", (event) => {
      // While a word is being composed (Chinese, Japanese, Korean), Enter accepts the word.
      if (event.key !== "Enter" || event.isComposing || !this.runsOn(event)) return;
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
    else this.recall(sample);
    this.mark(sample);
  }

  /** Note which example is in the box; with none, the answer on show is not for this text. */
  mark(sample) {
    for (const [other, node] of this.samples) {
      node.setAttribute("aria-pressed", String(other === sample));
    }
    this.markStale(sample === null);
  }

  markStale(stale) {
    this.root.classList.toggle("kc-stale", stale);
  }

  /** Put the text that the address carries into the box: somebody shared it. */
  takeCarried() {
    const text = carriedText();
    if (text === null || this.root.dataset.state !== "idle") return;
    this.box.value = text;
    this.mark(null);
    this.say("This text came with the link. Load the model to have it answered.");
    this.root.scrollIntoView({ block: "nearest" });
  }

  async share() {
    const address = linkTo(this.box.value);
    if (address === null) {
      this.say("The text is too long for a link: shorten it.");
      return;
    }
    history.replaceState(history.state, "", address);
    const copied = await copy(address);
    this.say(copied ? "The link is copied." : "The link stands in the address bar: copy it there.");
  }

  run() {
    const { state } = this.root.dataset;
    if (state === "loading" || state === "recorded") return;
    if (!this.box.value.trim()) {
      this.say(this.words.empty);
      this.box.focus();
    } else if (state === "idle") {
      this.load();
    } else {
      this.ask(this.box.value);
    }
  }

  ask(text) {
    this.runs += 1;
    this.asked = text;
    this.worker.postMessage({ type: "run", id: this.runs, ...this.question(text) });
  }

  load() {
    const { model_path: model, runtime_path: runtime, runtime_version: version } = this.config;
    const clicked = document.activeElement === this.loadButton;
    this.bytesRead(0);
    this.enter("loading", "Loading the model.");
    // Not Cancel itself: a key still held down would press it.
    if (clicked) this.progress.focus();
    this.worker = new Worker(this.workerUrl, { type: "module" });
    this.worker.onmessage = ({ data }) => this.receive(data);
    this.worker.onerror = (event) => {
      event.preventDefault();
      const file = this.workerUrl.pathname.split("/").at(-1);
      this.fail({ reason: "network", detail: event.message ?? `${file} was not read` });
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
    else if (data.type === "failed" && data.reason !== "input") this.fail(data);
    else if (data.type === "failed" && data.id === this.runs) this.refuse(data);
    else if (data.type === "answer" && data.id === this.runs) this.report(data);
    else if (data.type === "ready") {
      this.enter("ready", "The model is ready.");
      this.box.focus({ preventScroll: true });
      this.run();
    }
  }

  cancel() {
    this.stop();
    this.enter("idle", "Loading was cancelled. Nothing is running.");
    this.loadButton.focus();
  }

  /** Say why a text has no answer; the model is as ready as before. */
  refuse({ detail }) {
    this.markStale(true);
    this.say(detail);
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

  sampleButton({ text, note }) {
    const parts = [element("span", { class: "kc-sample-text" }, text)];
    if (note) parts.push(element("span", { class: "kc-sample-note" }, note));
    return button("kc-sample", ...parts);
  }

  stop() {
    this.worker?.terminate();
    this.worker = null;
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

function megabytes(bytes, digits) {
  return (bytes / 1e6).toFixed(digits);
}

function action(state, ...children) {
  return element("div", { class: "kc-action", "data-when": state }, ...children);
}

export function caption(text) {
  return element("span", { class: "kc-caption" }, text);
}

export function button(kind, ...children) {
  return element("button", { type: "button", class: kind }, ...children);
}

export function quiet(text) {
  return element("span", { class: "kc-quiet" }, text);
}

export function percent(probability) {
  if (probability > 0.999) return "> 99.9 %";
  if (probability < 0.001) return "< 0.1 %";
  return `${(100 * probability).toFixed(1)} %`;
}

export function element(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}
