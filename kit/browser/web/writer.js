/**
 * Writes a commit's message as kit.inference.Generator does: the same prompt, the same tokens, the
 * same branches; a change there is made here too. The prompt is read at once and then one token at
 * a time, because a sum of floats depends on how many tokens are multiplied together.
 *
 *   const writer = new Writer(generation, tokenizer, network);     // generation.json, parsed
 *   for await (const { text } of writer.alternatives(diff, 3)) console.log(text);
 *
 * `tokenizer` is one of transformers.js. `network` has start(), the empty cache; read(ids, cache),
 * a promise of the logits after the last token and of the cache then; and cut(cache, tokens).
 */

import { InputError } from "./loading.js";
import { SPACES, render } from "./prompts.js";
import { complete, missing } from "./subjects.js";

const NEAR = 64;
const END = -1;
const OUTER_SPACES = new RegExp(`^${SPACES.source}|${SPACES.source}$`, "g");

export class Writer {
  constructor({ prefix, suffix, budget, max_new_tokens, end, types }, tokenizer, network) {
    Object.assign(this, { prefix, suffix, budget, end, types, tokenizer, network });
    this.maxNewTokens = max_new_tokens;
    this.letter = this.encode("a");
    this.pieces = new Map();
    this.endings = new Map();
  }

  /** What the model is given of a diff. */
  prompt(diff) {
    const body = render(diff, this.budget, (line) => this.encode(line).length);
    if (!body) throw new InputError("There is no file in this diff: paste what git diff prints.");
    return `${this.prefix}${body}${this.suffix}`;
  }

  /**
   * Up to `n` different answers one by one, the greedy one first. The others leave it where the
   * model was in the most doubt; from there on they are greedy.
   */
  async *alternatives(diff, n = 1, constrained = true) {
    const ids = this.encode(this.prompt(diff));
    const first = await this.write(ids, constrained);
    const found = new Set([this.text(first)]);
    yield this.answer(first);
    const order = first.branches.map((branch) => [sum(branch.scores), branch]);
    for (const [, branch] of order.sort(([a], [b]) => b - a)) {
      if (found.size >= n) break;
      const other = await this.leave(first, branch, ids.length, constrained);
      if (found.has(this.text(other))) continue;
      found.add(this.text(other));
      yield this.answer(other);
    }
  }

  answer(written) {
    const { ids, scores } = written;
    const probability = scores.length ? Math.exp(sum(scores) / scores.length) : 0;
    return { text: this.text(written), probability, ids };
  }

  text({ ids }) {
    return this.decode(ids).replace(OUTER_SPACES, "");
  }

  /** The token ids of a text; no special token is put around it. */
  encode(text) {
    return this.tokenizer.encode(text, { add_special_tokens: false });
  }

  /** The text of token ids, special tokens left out. */
  decode(ids) {
    if (!ids.length) return "";
    const plainly = { skip_special_tokens: true, clean_up_tokenization_spaces: false };
    return this.tokenizer.decode(ids, plainly);
  }

  /** Whether an answer ends before this token. */
  ends(token) {
    if (!this.endings.has(token)) {
      this.endings.set(token, this.end.includes(token) || this.decode([token]).includes("\n"));
    }
    return this.endings.get(token);
  }

  /** Go on from a prompt greedily, until it ends or `maxNewTokens` are written. */
  async write(prompt, constrained = false) {
    const least = missing("", this.types);
    if (constrained && (least === null || least > this.maxNewTokens)) {
      throw new Error(`generation.json leaves no room for a subject (${this.maxNewTokens} tokens)`);
    }
    const begun = { ids: [], scores: [] };
    return this.goOn(begun, await this.network.read(prompt, this.network.start()), constrained);
  }

  /** Go on from a branch. What the cache holds of the first answer up to there is its own. */
  async leave(first, branch, before, constrained) {
    if (this.isOver(branch)) return branch;
    const cache = this.network.cut(first.cache, before + branch.ids.length - 1);
    return this.goOn(branch, await this.network.read(branch.ids.slice(-1), cache), constrained);
  }

  async goOn(begun, read, constrained) {
    const branches = [];
    let written = begun;
    let { logits, cache } = read;
    while (true) {
      const [best, ...second] = this.choices(written, logits, constrained);
      written = best;
      branches.push(...second);
      if (this.isOver(written)) return { ...written, branches, cache };
      ({ logits, cache } = await this.network.read(written.ids.slice(-1), cache));
    }
  }

  /** Whether the text came to its end, or its tokens are used up. */
  isOver({ ids, scores }) {
    return scores.length > ids.length || ids.length === this.maxNewTokens;
  }

  /**
   * The text with the best token after it, and with the second best of the first 64. A text that is
   * complete ends where the likeliest token cannot be had: going on would fill it up with whatever
   * still fits.
   */
  choices({ ids, scores }, logits, constrained) {
    const score = logSoftmax(logits);
    const text = this.decode(ids);
    const mayEnd = !constrained || complete(text, this.types);
    const found = new Map();
    let rank = 0;
    for (const token of ranked(logits)) {
      if (found.size > 1 || (found.size && rank >= NEAR)) break;
      if (this.ends(token)) {
        if (mayEnd && !found.has(END)) found.set(END, score(token));
      } else if (!constrained || this.fits(text, ids.length, token)) {
        found.set(token, score(token));
      } else if (mayEnd && !rank) {
        found.set(END, Math.max(...this.end.map(score)));
      }
      rank += 1;
    }
    return [...found].map(([token, chance]) => ({
      ids: token === END ? ids : [...ids, token],
      scores: [...scores, chance],
    }));
  }

  /** Whether a token adds to a text of `count` and leaves room to finish the subject. */
  fits(text, count, token) {
    if (!this.pieces.has(token)) {
      // After a letter, because some tokenizers drop the space at the beginning of a text.
      this.pieces.set(token, this.decode([...this.letter, token]).slice(1));
    }
    const piece = this.pieces.get(token);
    const needed = piece ? missing(text + piece, this.types) : null;
    return needed !== null && needed < this.maxNewTokens - count;
  }
}

/** The tokens from the likeliest on, the lowest id first where two are alike. */
function* ranked(logits) {
  // Two or three are asked for as a rule: looking for them is faster than sorting all.
  let last = null;
  for (let rank = 0; rank < Math.min(NEAR, logits.length); rank++) {
    last = next(logits, last);
    yield last;
  }
  const order = Uint32Array.from(logits, (_, token) => token);
  order.sort((a, b) => logits[b] - logits[a] || a - b);
  yield* order.subarray(NEAR);
}

/** The likeliest token of those that come after one. */
function next(logits, last) {
  const bound = last === null ? Infinity : logits[last];
  let best = -1;
  for (let token = 0; token < logits.length; token++) {
    const logit = logits[token];
    if (best >= 0 && logit <= logits[best]) continue;
    if (logit < bound || (logit === bound && token > last)) best = token;
  }
  return best;
}

/** The function that gives the log-probability of a token. */
function logSoftmax(logits) {
  const highest = logits.reduce((a, b) => Math.max(a, b));
  const total = Math.log(logits.reduce((total, logit) => total + Math.exp(logit - highest), 0));
  return (token) => logits[token] - highest - total;
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}
