/**
 * The prompt of a diff, as kit/prompts.py renders it: the same text for the same diff, so that the
 * model reads in the page what it was trained on. A page calls it as
 *
 *   import { render } from "./prompts.js";
 *   const prompt = render(diff, 246, (line) => tokenizer.encode(line).length);
 *
 * What is shown of a diff, and why, stands in kit/prompts.py; a change there is made here too. Both
 * sides pass the vectors in tests/prompt_vectors.json. Lengths are code points, as in Python, and
 * spaces and letters are those of Python.
 */

const LINE_CHARACTERS = 120;
const CONTEXT_CHARACTERS = 60;
const PATH_CHARACTERS = 100;
const HEADER_SHARE = 0.5;

const UNREAD = new RegExp(
  String.raw`(?:^|/)(?:
    package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|bun\.lockb|conda-lock\.yml|go\.sum
    |Package\.resolved|packages\.lock\.json|gradle\.lockfile|\.terraform\.lock\.hcl
    |(?:vendor|node_modules|third_party|__snapshots__)/.*
    |(?:LICENSE|LICENCE|COPYING)(?:[.-][A-Za-z0-9.-]+)?
    |[^/]+\.(?:min\.js|min\.css|map|snap|pb\.go|svg|lock)
    |[^/]+_pb2(?:_grpc)?\.pyi?|[^/]+\.generated\.[a-z]+
  )$`.replace(/\s+/g, ""),
  "s",
);
const SECTION = /^diff --(git|cc|combined) (.+)/s;
// A merge's hunk has an @ more, an old side more and a column of marks more for each more parent.
const HUNK = /^(@@+) (-[0-9, -]+) \+[0-9]+(?:,([0-9]{1,9}))? \1(.*)/s;
const OLD_SIDE = /-[0-9]+(?:,([0-9]{1,9}))?/g;
const ESCAPES = /(?:\\[0-3][0-7]{2})+|\\(.)/gsu;
const SURROGATE = /\p{Surrogate}/gu; // one without its other half
export const SPACES = /[\t-\r\x1c- \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;
const WORD = /[\p{L}\p{N}]/u;
const NOWHERE = "/dev/null";
const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** One file of a diff: `status` is A, D, M, R or B; `lines` as the prompt shows them. */
class Change {
  constructor(path, status = "M") {
    this.path = path;
    this.status = status;
    this.oldPath = "";
    this.lines = [];
    this.hunks = 0;
  }

  /** The file's line in the prompt. */
  get header() {
    const name = this.status === "R" ? `${this.oldPath} -> ${this.path}` : this.path;
    return `${this.status} ${plain(name, PATH_CHARACTERS)}`;
  }
}

/** What is still to come of a hunk: lines of its old sides, all together, and of its new one. */
class Hunk {
  constructor(parents = 1, old = 0, now = 0) {
    this.parents = parents;
    this.old = old;
    this.now = now;
  }

  holds(line) {
    return (this.old > 0 || this.now > 0) && " +-\\".includes(line.slice(0, 1));
  }

  /** Count a line off; return it as the prompt shows it, or nothing. */
  read(line) {
    if (line.startsWith("\\")) return "";
    const marks = firstPoints(line, this.parents).join("");
    const text = line.slice(marks.length);
    const removed = occurrences("-", marks);
    this.old -= removed || this.parents - occurrences("+", marks);
    this.now -= removed ? 0 : 1;
    if (!(removed || marks.includes("+")) || !WORD.test(text)) return "";
    return (removed ? "-" : "+") + plain(text, LINE_CHARACTERS);
  }
}

/** Read a unified diff, of git or of `diff -u`; text around it is passed over. */
export function changes(diff) {
  const found = [];
  let hunk = new Hunk();
  let inHead = false;
  let previous = "";
  const add = (change) => found.push(change);
  for (const line of diff.replace(SURROGATE, "\ufffd").replaceAll("\r\n", "\n").split("\n")) {
    let match;
    if (hunk.holds(line)) {
      const text = hunk.read(line);
      if (text) found.at(-1).lines.push(text);
    } else if ((match = SECTION.exec(line))) {
      add(new Change(sectionPath(match[1], match[2])));
      [hunk, inHead] = [new Hunk(), true];
    } else if (found.length && (match = HUNK.exec(line))) {
      [hunk, inHead] = [begin(found.at(-1), match), false];
    } else if (line.startsWith("+++ ") && previous.startsWith("--- ")) {
      if (!inHead) add(new Change(""));
      readSides(found.at(-1), previous.slice(4), line.slice(4));
    } else if (inHead) {
      describe(found.at(-1), line);
      inHead = line !== "";
    } else if (line.startsWith("Binary files ") && line.endsWith(" differ")) {
      add(new Change(withoutPrefix(afterLast(" and ", line.slice(13, -7))), "B"));
    }
    previous = line;
  }
  return found;
}

/**
 * The prompt's text: at most `budget` tokens by `count`, which takes one line with its newline.
 * Only whole lines are shown; of a diff without files, or with too small a budget, nothing.
 */
export function render(diff, budget, count) {
  const cost = (line) => count(`${line}\n`);
  const files = changes(diff);
  const headers = files.map((file) => file.header);
  if (files.length) headers[0] = withEnd(headers[0], cost, budget);
  const share = files.length === 1 ? budget : Math.floor(budget * HEADER_SHARE);
  let paid = fitting(headers, cost, share);
  if (!paid.length) paid = fitting(headers.slice(0, 1), cost, budget);
  if (!paid.length) return "";
  const rest = files.length - paid.length;
  const more = `and ${rest} more files`;
  let left = budget - sum(paid);
  const paidMore = fitting(rest ? [more] : [], cost, left);
  left -= sum(paidMore);
  // A line costs a token or more: those beyond the budget need not be counted.
  const kept = files
    .slice(0, paid.length)
    .map((file) => (UNREAD.test(file.path) ? [] : file.lines.slice(0, budget)));
  const taken = shares(
    kept.map((lines) => lines.map(cost)),
    left,
  );
  const text = kept.flatMap((lines, i) => [headers[i], ...lines.slice(0, taken[i])]);
  if (paidMore.length) text.push(more);
  return `${text.join("\n")}\n`;
}

/** The path that follows `diff --git`: written twice, unless the file was renamed. */
function sectionPath(kind, names) {
  if (kind !== "git") return unquoted(names);
  const points = [...names];
  const middle = Math.floor(points.length / 2);
  const old = unquoted(points.slice(0, middle).join(""));
  const now = unquoted(points.slice(middle + 1).join(""));
  if (old && old === now) return now;
  const path = afterFirst("/", now);
  if (path && path === afterFirst("/", old)) return path;
  return afterFirst(" b/", names) || names;
}

/** Note what stands after `---` and `+++`. */
function readSides(change, ...sides) {
  const [old, now] = sides.map((side) => unquoted(side.split("\t", 1)[0]));
  const path = now === NOWHERE ? old : now;
  // git's prefix need not be a/ or b/; where the section's path agrees, it is the one without.
  if (!change.path || !`/${path}`.endsWith(`/${change.path}`)) change.path = withoutPrefix(path);
  if (now === NOWHERE) change.status = "D";
  else if (old === NOWHERE) change.status = "A";
}

/** Note what a line between `diff --git` and the first hunk says. */
function describe(change, line) {
  if (line.startsWith("new file")) {
    change.status = "A";
  } else if (line.startsWith("deleted file")) {
    change.status = "D";
  } else if (line.startsWith("rename from ")) {
    change.status = "R";
    change.oldPath = unquoted(line.slice(12));
  } else if (line.startsWith("rename to ")) {
    change.path = unquoted(line.slice(10));
  } else if (line.startsWith("copy to ")) {
    change.status = "A";
    change.path = unquoted(line.slice(8));
  } else if (line.startsWith("Binary files ") || line.startsWith("GIT binary patch")) {
    change.status = "B";
  }
}

/** Note the function that a hunk stands in, and return what its header announces. */
function begin(change, [, ats, oldSides, now, context]) {
  change.hunks += 1;
  if (WORD.test(context)) change.lines.push(`@ ${plain(context, CONTEXT_CHARACTERS)}`);
  const old = [...oldSides.matchAll(OLD_SIDE)].map(([, number]) => Number(number ?? 1));
  return new Hunk(ats.length - 1, sum(old), Number(now ?? 1));
}

function withoutPrefix(path) {
  return path.startsWith("a/") || path.startsWith("b/") ? path.slice(2) : path;
}

/** Undo git's quotes: `"f\303\244\tb"` is `fä b`, a control character shown as a space. */
function unquoted(path) {
  if (path.length < 2 || !path.startsWith('"') || !path.endsWith('"')) return path;
  return path.slice(1, -1).replace(ESCAPES, (escape, single) => {
    if (single) return "abfnrtv".includes(single) ? " " : single;
    const octal = escape.split("\\").slice(1);
    return UTF8.decode(Uint8Array.from(octal, (byte) => parseInt(byte, 8)));
  });
}

/** The text on one line, single-spaced, without control tokens, cut between words. */
function plain(text, longest) {
  const line = text.replaceAll("<|", "< |").split(SPACES).filter(Boolean).join(" ");
  const points = firstPoints(line, longest);
  const cut = points.join("");
  if (cut === line) return line;
  const space = points.lastIndexOf(" ");
  return space > Math.floor(longest / 2) ? points.slice(0, space).join("") : cut;
}

/** A file's line, its path cut from the left until the budget pays for it. */
function withEnd(header, cost, budget) {
  const status = header.slice(0, 2);
  let path = [...header.slice(2)];
  while (path.length > 1 && cost(status + path.join("")) > budget) path = path.slice(1);
  return status + path.join("");
}

/** The first lines' costs, as many as the budget pays for. */
function fitting(lines, cost, budget) {
  const paid = [];
  let left = budget;
  for (const line of lines) {
    const price = cost(line);
    if (price > left) break;
    left -= price;
    paid.push(price);
  }
  return paid;
}

/** How many of its first lines each file may show: equal shares, leftovers passed on. */
function shares(costs, budget) {
  const taken = costs.map(() => 0);
  const totals = costs.map(sum);
  const order = [...costs.keys()].sort((a, b) => totals[a] - totals[b] || a - b);
  let left = budget;
  for (const [place, index] of order.entries()) {
    const share = Math.floor(left / (order.length - place));
    const paid = fitting(costs[index], (cost) => cost, share);
    left -= sum(paid);
    taken[index] = paid.length;
  }
  return taken;
}

/** The first code points of a text, without a look at the rest of it. */
function firstPoints(text, count) {
  return [...text.slice(0, 2 * count)].slice(0, count);
}

function occurrences(mark, text) {
  return text.split(mark).length - 1;
}

function afterFirst(mark, text) {
  const place = text.indexOf(mark);
  return place < 0 ? "" : text.slice(place + mark.length);
}

function afterLast(mark, text) {
  const place = text.lastIndexOf(mark);
  return place < 0 ? text : text.slice(place + mark.length);
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}
