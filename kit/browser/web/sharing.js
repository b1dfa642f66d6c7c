/**
 * A link that carries what a reader wrote, and how text gets to the clipboard. The text stands in
 * the address after `#`, which browsers keep to themselves: no server is told.
 */

const KEY = "#text=";
/** Longer addresses are cut by messengers and mail. */
export const LONGEST = 4000;

/** Return the address of this page with a text in it, null where it would be too long. */
export function linkTo(text) {
  const address = location.href.replace(/#.*$/s, "") + KEY + encodeURIComponent(text);
  return address.length > LONGEST ? null : address;
}

/** Return the text that the address of this page carries, null where it carries none. */
export function carriedText() {
  if (!location.hash.startsWith(KEY)) return null;
  try {
    return decodeURIComponent(location.hash.slice(KEY.length)) || null;
  } catch {
    return null; // cut in the middle of a character
  }
}

/** Copy a text; false where the browser refuses, as in some frames. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
