/** Undoing zlib (RFC 1950), held to a size. */

import { Malformed } from "./malformed.js";

/**
 * @param {Uint8Array} bytes
 * @param {number} most how many bytes it may come to
 * @returns {Promise<Uint8Array>}
 * @throws {Malformed} where it is more, or broken
 */
export async function inflate(bytes, most) {
  const parts = [];
  let size = 0;
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  for (;;) {
    const { done, value } = await next(reader);
    if (done) break;
    parts.push(value);
    size += value.length;
    if (size > most) {
      await reader.cancel();
      throw new Malformed("It is larger than it may be.");
    }
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

async function next(reader) {
  try {
    return await reader.read();
  } catch {
    throw new Malformed("This is not compressed with zlib.");
  }
}
