/**
 * Runs an exported text classifier off the page's thread: transformers.js, one WebAssembly thread.
 *
 * in:   {type: "load", runtime, version, model, store}      URLs; `store` names this demo's cache
 *       {type: "run", id, text}
 * out:  {type: "progress", bytes}                           read so far, decompressed, all files
 *       {type: "downloaded"}, then {type: "ready"}
 *       {type: "answer", id, probabilities, tokens, limit, ms}
 *       {type: "failed", id, reason, detail}                reason: network, memory or model
 *
 * It asks for nothing but the files of the model and of the runtime, all from its own origin.
 */

const MODEL_FILES = [
  "config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "onnx/model_quantized.onnx",
];

class DownloadError extends Error {}

/**
 * Files kept in the browser's Cache. What a load did not ask for is removed after it, so that an
 * older model does not stay on the reader's disk.
 */
class Store {
  constructor(name) {
    this.name = name;
    this.taken = new Set();
  }

  async cache() {
    try {
      // Absent without https, and refused in some private windows and foreign frames.
      return await self.caches?.open(this.name);
    } catch {
      return undefined;
    }
  }

  /** The bytes of a URL, from the cache or else from the network. */
  async take(url) {
    this.taken.add(url);
    const cache = await this.cache();
    const kept = await cache?.match(url);
    const bytes = await read(kept ?? (await request(url)), url);
    if (cache && !kept) {
      await cache.put(url, new Response(bytes)).catch(() => undefined); // a full disk is no failure
    }
    return bytes;
  }

  async tidy() {
    const cache = await this.cache();
    for (const request of (await cache?.keys()) ?? []) {
      if (!this.taken.has(request.url)) await cache.delete(request);
    }
  }

  async forget() {
    await self.caches?.delete(this.name).catch(() => undefined);
  }
}

let bytesRead = 0;
let classify = null;

async function request(url) {
  let response;
  try {
    response = await fetch(url);
  } catch {
    throw new DownloadError(`no connection for ${fileOf(url)}`);
  }
  if (!response.ok) throw new DownloadError(`HTTP ${response.status} for ${fileOf(url)}`);
  // A host that answers every path with its home page would otherwise be cached as a model.
  if (response.headers.get("content-type")?.startsWith("text/html")) {
    throw new DownloadError(`a web page instead of ${fileOf(url)}`);
  }
  return response;
}

async function read(response, url) {
  const counted = response.body.pipeThrough(
    new TransformStream({
      transform(chunk, controller) {
        controller.enqueue(chunk);
        report(chunk.byteLength);
      },
    }),
  );
  try {
    return await new Response(counted).arrayBuffer();
  } catch (error) {
    if (error instanceof RangeError) throw error;
    throw new DownloadError(`the connection broke during ${fileOf(url)}`);
  }
}

function fileOf(url) {
  return new URL(url).pathname.split("/").at(-1);
}

function report(bytes) {
  bytesRead += bytes;
  self.postMessage({ type: "progress", bytes: bytesRead });
}

async function importRuntime(url) {
  try {
    return await import(url);
  } catch {
    throw new DownloadError(`${fileOf(url)} was not read`);
  }
}

async function load({ runtime, version, model, store }) {
  const at = (name) => new URL(`${name}?v=${version}`, runtime).href;
  const engine = new Store(`kit-runtime ${runtime}`);
  const weights = new Store(`kit-model ${store}`);
  const [library, wasm, ...contents] = await Promise.all([
    importRuntime(at("transformers.min.js")),
    engine.take(at("ort-wasm-simd-threaded.wasm")),
    ...MODEL_FILES.map((name) => weights.take(new URL(name, model).href)),
  ]);
  self.postMessage({ type: "downloaded" });
  configure(library.env, {
    model,
    wasm,
    wasmPaths: { mjs: at("ort-wasm-simd-threaded.mjs"), wasm: at("ort-wasm-simd-threaded.wasm") },
    files: new Map(MODEL_FILES.map((name, i) => [new URL(name, model).href, contents[i]])),
  });
  try {
    classify = await build(library, model);
    await classify("warm up");
  } catch (error) {
    // A broken file must not be kept; one that the device had no room for may.
    if (reasonOf(error) === "model") await Promise.all([engine.forget(), weights.forget()]);
    throw error;
  }
  await Promise.all([engine.tidy(), weights.tidy()]);
}

function configure(env, { model, wasm, wasmPaths, files }) {
  env.logLevel = 40;
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.localModelPath = new URL("..", model).pathname; // a pathname: with a URL it finds no files
  env.useBrowserCache = false; // Store keeps the files, and counts them
  env.useWasmCache = false; // would import a blob: URL, which the page's policy forbids
  env.fetch = async (input) => {
    const bytes = files.get(new URL(input, self.location.href).href);
    return bytes ? new Response(bytes) : new Response(null, { status: 404 });
  };
  const settings = { wasmBinary: wasm, wasmPaths, numThreads: 1, proxy: false };
  Object.assign(env.backends.onnx.wasm, settings);
}

async function build({ AutoTokenizer, AutoModelForSequenceClassification, Tensor }, model) {
  const name = decodeURIComponent(model.split("/").at(-2));
  const tokenizer = await AutoTokenizer.from_pretrained(name);
  const network = await AutoModelForSequenceClassification.from_pretrained(name, {
    device: "wasm",
    dtype: "q8",
  });
  const special = new Set(tokenizer.all_special_ids);
  const limit = tokenizer.model_max_length;

  return async (text) => {
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
  };
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

function reasonOf(error) {
  if (error instanceof DownloadError) return "network";
  return error instanceof RangeError || /memory|allocat/i.test(error) ? "memory" : "model";
}

self.onmessage = async ({ data }) => {
  try {
    if (data.type === "load") {
      await load(data);
      self.postMessage({ type: "ready" });
    } else {
      self.postMessage({ type: "answer", id: data.id, ...(await classify(data.text)) });
    }
  } catch (error) {
    const detail = error?.message ?? String(error);
    self.postMessage({ type: "failed", id: data.id, reason: reasonOf(error), detail });
  }
};
