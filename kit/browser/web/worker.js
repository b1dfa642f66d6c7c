/**
 * Runs an exported text classifier off the page's thread; loading.js says how it is talked to.
 *
 * question:  {text}
 * answer:    {probabilities, tokens, limit, ms}
 */

import { serve } from "./loading.js";

const MODEL_FILES = [
  "config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "onnx/model_quantized.onnx",
];

async function build({ library, name, options }) {
  const { AutoTokenizer, AutoModelForSequenceClassification, Tensor } = library;
  const tokenizer = await AutoTokenizer.from_pretrained(name);
  const network = await AutoModelForSequenceClassification.from_pretrained(name, options);
  const special = new Set(tokenizer.all_special_ids);
  const limit = tokenizer.model_max_length;

  async function classify({ text }) {
    const started = performance.now();
    const ids = tokenizer.encode(text);
    const kept = cut(ids, limit, special);
    const shape = [1, kept.length];
    const { logits } = await network({
      input_ids: new Tensor("int64", BigInt64Array.from(kept, BigInt), shape),
      attention_mask: new Tensor("int64", new BigInt64Array(kept.length).fill(1n), shape),
    });
    const probabilities = softmax([...logits.data]).map((probability, i) => ({
      label: network.config.id2label[i],
      probability,
    }));
    return { probabilities, tokens: ids.length, limit, ms: performance.now() - started };
  }

  await classify({ text: "warm up" });
  return classify;
}

/** Truncate as Python does: the closing special token stays. transformers.js would drop it. */
function cut(ids, limit, special) {
  if (ids.length <= limit) return ids;
  const last = ids.at(-1);
  return special.has(last) ? [...ids.slice(0, limit - 1), last] : ids.slice(0, limit);
}

function softmax(logits) {
  const highest = Math.max(...logits);
  const exponents = logits.map((logit) => Math.exp(logit - highest));
  const sum = exponents.reduce((a, b) => a + b);
  return exponents.map((exponent) => exponent / sum);
}

serve(MODEL_FILES, build);
