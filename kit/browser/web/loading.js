/**
 * What the workers of the demos share: the files of model and runtime, kept in the browser;
 * transformers.js on one WebAssembly thread; the messages to the page. A worker is
 *
 *   serve(["config.json", "tokenizer.json", "onnx/model_quantized.onnx"], async (loaded) => {
 *     const model = await loaded.library.AutoModel.from_pretrained(loaded.name, loaded.options);
 *     return (question, say) => answerTo(question);   // a promise; say() sends a part before it
 *   });
 *
 * in:   {type: "load", runtime, version, model, store}      URLs; `store` names this demo's cache
 *       {type: "run", id, ...question}
 * out:  {type: "progress", bytes}                           read so far, decompressed, all files
 *       {type: "downloaded"}, then {type: "ready"}
 *       {type: "answer", id, ...answer}
 *       {type: "failed", id, reason, detail}                reason: network, memory, model or input
 *
 * It asks for nothing but the files of the model and of the runtime. The runtime is always of the
 * page's own origin; the model may be in a repo on the Hub, at a commit.
 */

class DownloadError extends Error {}

/** The question cannot be answered, whatever the model; its message is for the reader. */
export class InputError extends Error {}

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

/** Answer the page's messages; `build` makes the function that answers a question. */
export function serve(names, build) {
  let answer = null;
  let last = Promise.resolve();

  async function handle({ type, id, ...rest }) {
    const say = (part) => self.postMessage({ type: "answer", id, ...part });
    try {
      if (type === "load") {
        answer = await load(rest, names, build);
        self.postMessage({ type: "ready" });
      } else {
        say(await answer(rest, say));
      }
    } catch (error) {
      const detail = error?.message ?? String(error);
      self.postMessage({ type: "failed", id, reason: reasonOf(error), detail });
    }
  }

  self.onmessage = ({ data }) => {
    last = last.then(() => handle(data)); // a session runs one thing at a time
  };
}

async function load({ runtime, version, model, store }, names, build) {
  const at = (name) => new URL(`${name}?v=${version}`, runtime).href;
  const engine = new Store(`kit-runtime ${runtime}`);
  const weights = new Store(`kit-model ${store}`);
  const [library, wasm, ...contents] = await Promise.all([
    importRuntime(at("transformers.min.js")),
    engine.take(at("ort-wasm-simd-threaded.wasm")),
    ...names.map((name) => weights.take(new URL(name, model).href)),
  ]);
  self.postMessage({ type: "downloaded" });
  const files = new Map(names.map((name, i) => [new URL(name, model).pathname, contents[i]]));
  configure(library.env, {
    model,
    wasm,
    wasmPaths: { mjs: at("ort-wasm-simd-threaded.mjs"), wasm: at("ort-wasm-simd-threaded.wasm") },
    files,
  });
  let answer;
  try {
    answer = await build({
      library,
      name: decodeURIComponent(model.split("/").at(-2)),
      options: { device: "wasm", dtype: "q8" },
      json: (name) => JSON.parse(new TextDecoder().decode(files.get(new URL(name, model).pathname))),
    });
  } catch (error) {
    // A broken file must not be kept; one that the device had no room for may.
    if (reasonOf(error) === "model") await Promise.all([engine.forget(), weights.forget()]);
    throw error;
  }
  await Promise.all([engine.tidy(), weights.tidy()]);
  return answer;
}

function configure(env, { model, wasm, wasmPaths, files }) {
  env.logLevel = 40;
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.localModelPath = new URL("..", model).pathname; // a pathname: with a URL it finds no files
  env.useBrowserCache = false; // Store keeps the files, and counts them
  env.useWasmCache = false; // would import a blob: URL, which the page's policy forbids
  env.fetch = async (input) => {
    const bytes = files.get(new URL(input, self.location.href).pathname);
    return bytes ? new Response(bytes) : new Response(null, { status: 404 });
  };
  const settings = { wasmBinary: wasm, wasmPaths, numThreads: 1, proxy: false };
  Object.assign(env.backends.onnx.wasm, settings);
}

async function importRuntime(url) {
  try {
    return await import(url);
  } catch {
    throw new DownloadError(`${fileOf(url)} was not read`);
  }
}

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

function reasonOf(error) {
  if (error instanceof DownloadError) return "network";
  if (error instanceof InputError) return "input";
  return error instanceof RangeError || /memory|allocat/i.test(error) ? "memory" : "model";
}
