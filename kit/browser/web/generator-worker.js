/**
 * Runs an exported text generator off the page's thread; loading.js says how it is talked to.
 *
 * question:  {diff, n = 1, constrained = true}
 * answer:    {answers, done, ...}; first with the greedy one alone, then whole. Each of `answers`
 *            has text, probability and ids. When done: `lines` of the diff that were read, `of` so
 *            many, `prompt` tokens read and `tokens` written in `writing` of all in all `ms`.
 */

import { serve } from "./loading.js";
import { render } from "./prompts.js";
import { Writer } from "./writer.js";

const MODEL_FILES = [
  "config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "generation.json",
  "onnx/model_quantized.onnx",
];

/** The exported graph with its key-value cache, one sequence at a time. */
class Network {
  constructor(session, Tensor) {
    this.session = session;
    this.tensor = (type, data, dims) => new Tensor(type, data, dims).ort_tensor;
    this.time = { prompt: 0, tokens: 0, reading: 0 };
  }

  /** The empty cache: of the dimensions in the file only the numbers count. */
  start() {
    this.time = { prompt: 0, tokens: 0, reading: 0 };
    return this.session.inputMetadata
      .filter(({ name }) => isCached(name))
      .map(({ shape }) => {
        const dims = [1, ...shape.slice(1).map((size) => (typeof size === "number" ? size : 0))];
        const size = dims.reduce((a, b) => a * b);
        return this.tensor("float32", new Float32Array(size), dims);
      });
  }

  /** Read tokens after a cache: the logits after the last, and the cache then. */
  async read(ids, cache) {
    const started = performance.now();
    const before = cache[0].dims[2];
    const columns = {
      input_ids: ids,
      attention_mask: new Array(before + ids.length).fill(1),
      position_ids: ids.map((_, place) => before + place),
    };
    const parts = cache.values();
    const feed = {};
    for (const name of this.session.inputNames) {
      feed[name] = isCached(name) ? parts.next().value : this.row(columns[name]);
    }
    const found = await this.session.run(feed);
    const [last, ...after] = this.session.outputNames.map((name) => found[name]);
    this.count(ids.length, before, performance.now() - started);
    return { logits: last.data.subarray(-last.dims.at(-1)), cache: after };
  }

  /** The first tokens of a cache. Each part is [1, key-value heads, tokens, width of a head]. */
  cut(cache, tokens) {
    return cache.map(({ data, dims: [, heads, all, width] }) => {
      const kept = new Float32Array(heads * tokens * width);
      for (let head = 0; head < heads; head++) {
        const from = head * all * width;
        kept.set(data.subarray(from, from + tokens * width), head * tokens * width);
      }
      return this.tensor("float32", kept, [1, heads, tokens, width]);
    });
  }

  row(numbers) {
    return this.tensor("int64", BigInt64Array.from(numbers, BigInt), [1, numbers.length]);
  }

  count(tokens, before, ms) {
    if (before) this.time.tokens += tokens;
    else Object.assign(this.time, { prompt: tokens, reading: ms });
  }
}

async function build({ library, name, options, json }) {
  const { AutoTokenizer, AutoModelForCausalLM, Tensor } = library;
  const tokenizer = await AutoTokenizer.from_pretrained(name);
  readSpacesAsPython(tokenizer);
  const { sessions } = await AutoModelForCausalLM.from_pretrained(name, options);
  const network = new Network(sessions.model, Tensor);
  const writer = new Writer(json("generation.json"), tokenizer, network);

  async function write({ diff, n = 1, constrained = true }, say) {
    const started = performance.now();
    const answers = [];
    for await (const answer of writer.alternatives(diff, n, constrained)) {
      answers.push(answer);
      if (answers.length === 1 && n > 1) say({ answers, done: false });
    }
    const ms = performance.now() - started;
    const { prompt, tokens, reading } = network.time;
    return { answers, done: true, ...linesRead(diff), prompt, tokens, writing: ms - reading, ms };
  }

  function linesRead(diff) {
    const around = linesOf(writer.prefix) + linesOf(writer.suffix);
    const read = linesOf(writer.prompt(diff)) - around;
    return { lines: read, of: linesOf(render(diff, Infinity, () => 1)) };
  }

  // A broken file shows here. Not a whole answer: the reader's own is as good to warm up on.
  await network.read(writer.encode(writer.prefix + writer.suffix), network.start());
  return write;
}

/**
 * Byte-level tokenizers part spaces from the rest. In JavaScript U+FEFF is a space and U+0085 none,
 * in Python's tokenizers it is the other way round, and a file may well begin with U+FEFF.
 */
function readSpacesAsPython(tokenizer) {
  const { pre_tokenizer: whole } = tokenizer._tokenizer;
  for (const part of whole?.tokenizers ?? [whole]) {
    if (!(part?.pattern instanceof RegExp)) continue;
    const { source, flags } = part.pattern;
    const spaces = { "\\s": "\\p{White_Space}", "\\S": "\\P{White_Space}" };
    part.pattern = new RegExp(source.replace(/\\s/gi, (found) => spaces[found]), flags);
  }
}

function linesOf(text) {
  return text.split("\n").length - 1;
}

function isCached(name) {
  return name.startsWith("past_key_values.");
}

serve(MODEL_FILES, build);
