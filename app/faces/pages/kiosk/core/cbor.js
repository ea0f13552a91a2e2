/**
 * Deterministic CBOR as `cbor2.dumps(value, canonical=True)` writes it, and nothing else: shortest heads, no indefinite
 * lengths, the keys of a map length-first and each once (RFC 8949 section 4.2.3), no tags, no floats.
 *
 * Integers are those that a Number holds exactly, arrays are Arrays, maps are Maps, byte strings are Uint8Arrays.
 * docs/tokens.md has the whole of it.
 */

import { Malformed } from "./malformed.js";

export { Malformed };

const UINT = 0;
const NINT = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const SIMPLE = 7;
const SIMPLE_VALUES = new Map([
  [20, false],
  [21, true],
  [22, null],
]);
const TWO_32 = 2 ** 32;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const toUtf8 = new TextEncoder();

/**
 * One item, and no byte behind it.
 *
 * @param {Uint8Array} bytes
 * @param {number} [maxDepth] how many arrays and maps may lie in one another
 * @returns {number | string | boolean | null | Uint8Array | Array | Map}
 * @throws {Malformed} where it is not CBOR, or not in its one spelling
 */
export function decode(bytes, maxDepth = 16) {
  const source = { bytes, at: 0 };
  const value = item(source, maxDepth);
  if (source.at !== bytes.length) throw new Malformed("a byte behind the item");
  return value;
}

/**
 * @param {number | string | boolean | null | Uint8Array | Array | Map} value
 * @returns {Uint8Array} its one spelling
 * @throws {TypeError} where the value is of another type, or a number is no safe integer
 */
export function encode(value) {
  return joined(pieces(value));
}

function item(source, depth) {
  const [major, argument] = head(source);
  switch (major) {
    case UINT:
      return argument;
    case NINT:
      if (argument === Number.MAX_SAFE_INTEGER) throw new Malformed("an integer out of range");
      return -1 - argument;
    case BYTES:
      return taken(source, argument).slice();
    case TEXT:
      return text(taken(source, argument));
    case ARRAY:
      return array(source, argument, deeper(depth));
    case MAP:
      return map(source, argument, deeper(depth));
    default:
      return SIMPLE_VALUES.get(argument);
  }
}

/** The major type and the argument of the next item, whose head has to be the shortest. */
function head(source) {
  const first = taken(source, 1)[0];
  const major = first >> 5;
  const info = first & 31;
  if (major === SIMPLE ? !SIMPLE_VALUES.has(info) : major > MAP || info > 27) throw new Malformed("not ours");
  if (info < 24) return [major, info];
  const size = 1 << (info - 24);
  const argument = taken(source, size).reduce((sum, byte) => sum * 256 + byte, 0);
  if (!Number.isSafeInteger(argument)) throw new Malformed("an integer out of range");
  if (size > headSize(argument) - 1) throw new Malformed("a longer spelling");
  return [major, argument];
}

function headSize(argument) {
  if (argument < 24) return 1;
  if (argument < 256) return 2;
  if (argument < 65_536) return 3;
  return argument < TWO_32 ? 5 : 9;
}

function taken(source, size) {
  const end = source.at + size;
  if (end > source.bytes.length) throw new Malformed("cut short");
  const part = source.bytes.subarray(source.at, end);
  source.at = end;
  return part;
}

function deeper(depth) {
  if (depth === 0) throw new Malformed("nested too deep");
  return depth - 1;
}

function text(bytes) {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new Malformed("not UTF-8");
  }
}

function array(source, size, depth) {
  const items = [];
  for (let n = 0; n < size; n++) items.push(item(source, depth));
  return items;
}

function map(source, size, depth) {
  const entries = new Map();
  let before = null;
  for (let n = 0; n < size; n++) {
    const start = source.at;
    const key = item(source, depth);
    const spelled = source.bytes.subarray(start, source.at);
    if (before !== null && order(before, spelled) >= 0) throw new Malformed("keys twice or out of order");
    before = spelled;
    entries.set(key, item(source, depth));
  }
  return entries;
}

/** Length-first: the shorter spelling before the longer, and of equal lengths the bytewise lower. */
function order(one, other) {
  if (one.length !== other.length) return one.length - other.length;
  const place = one.findIndex((byte, at) => byte !== other[at]);
  return place < 0 ? 0 : one[place] - other[place];
}

function pieces(value) {
  if (value === null) return [Uint8Array.of(0xf6)];
  if (typeof value === "boolean") return [Uint8Array.of(value ? 0xf5 : 0xf4)];
  if (Number.isSafeInteger(value)) return [value < 0 ? headOf(NINT, -1 - value) : headOf(UINT, value)];
  if (value instanceof Uint8Array) return [headOf(BYTES, value.length), value];
  if (typeof value === "string" && !/\p{Surrogate}/u.test(value)) {
    const bytes = toUtf8.encode(value);
    return [headOf(TEXT, bytes.length), bytes];
  }
  if (Array.isArray(value)) return [headOf(ARRAY, value.length), ...value.flatMap(pieces)];
  if (value instanceof Map) {
    const entries = Array.from(value, ([key, of]) => [encode(key), encode(of)]);
    return [headOf(MAP, value.size), ...entries.sort(([one], [other]) => order(one, other)).flat()];
  }
  throw new TypeError("nothing that is written here as CBOR");
}

function headOf(major, argument) {
  const size = headSize(argument) - 1;
  if (size === 0) return Uint8Array.of((major << 5) | argument);
  const bytes = new Uint8Array(1 + size);
  bytes[0] = (major << 5) | (24 + Math.log2(size));
  for (let at = size, rest = argument; at > 0; at--, rest = Math.floor(rest / 256)) bytes[at] = rest % 256;
  return bytes;
}

function joined(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
