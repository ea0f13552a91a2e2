/** Undoing zlib (RFC 1950), held to a size. */

import { Malformed } from "./malformed.js";

const CHECKSUM_BYTES = 4;

/**
 * @param {Uint8Array} bytes
 * @param {number} most how many bytes it may come to
 * @returns {Promise<Uint8Array>}
 * @throws {Malformed} where it is more, broken, or has something behind it
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
  const inflated = new Uint8Array(await new Blob(parts).arrayBuffer());
  // Browsers refuse what has something behind it, node 20 does not: the checksum has to stand last.
  if (adler32(inflated) !== new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - CHECKSUM_BYTES)) {
    throw new Malformed("Something is behind it.");
  }
  return inflated;
}

async function next(reader) {
  try {
    return await reader.read();
  } catch {
    throw new Malformed("This is not compressed with zlib.");
  }
}

/** The checksum of RFC 1950 section 8.2. */
function adler32(bytes) {
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return b * 65_536 + a;
}
