/**
 * The beginnings of a Conventional Commit's subject, as kit/inference.py knows them; a change there
 * is made here too. Both sides pass the vectors in tests/decoding_vectors.json. Lengths are code
 * points, as in Python.
 */

const LONGEST_SUBJECT = 100;
const UNFIT =
  /[\x00-\x1f\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufffd]/u;
const HEAD = String.raw`(\([^() ]([^()]*[^() ])?\))?!?`;
const AFTER_TYPE = [
  [String.raw``, 3],
  [String.raw`\(`, 5],
  [String.raw`\([^() ]([^()]*[^() ])?`, 4],
  [String.raw`\([^() ][^()]* `, 5],
  [HEAD, 3],
  [`${HEAD}:`, 2],
  [`${HEAD}: `, 1],
  [`${HEAD}: [^ ](.*[^ ])?`, 0],
  [`${HEAD}: [^ ].* `, 1],
].map(([part, count]) => [new RegExp(`^(?:${part})$`, "u"), count]);

/** How many characters at least turn the text into a subject; null where none do. */
export function missing(text, types) {
  if (UNFIT.test(text)) return null;
  const needed = [];
  for (const name of types) {
    if (name.startsWith(text)) {
      needed.push(length(name) - length(text) + 3);
    } else if (text.startsWith(name)) {
      const rest = text.slice(name.length);
      needed.push(...AFTER_TYPE.filter(([part]) => part.test(rest)).map(([, count]) => count));
    }
  }
  const fewest = Math.min(...needed);
  return length(text) + fewest > LONGEST_SUBJECT ? null : fewest;
}

/** Whether a subject can begin with the text. */
export function viable(text, types) {
  return missing(text, types) !== null;
}

/** Whether the text is a subject. */
export function complete(text, types) {
  return missing(text, types) === 0;
}

/** The code points of a text. */
function length(text) {
  return [...text].length;
}
