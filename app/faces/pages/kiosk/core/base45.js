/** Base45 (RFC 9285): two bytes as three characters of the alphabet that QR codes pack into 5.5 bits each. */

import { Malformed } from "./malformed.js";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const VALUES = new Map(Array.from(ALPHABET, (character, value) => [character, value]));

/**
 * @param {Uint8Array} bytes
 * @returns {string} 3 characters for 2 bytes and 2 for a last odd one
 */
export function encode(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 2) {
    const pair = at + 1 < bytes.length;
    let value = pair ? bytes[at] * 256 + bytes[at + 1] : bytes[at];
    for (let n = pair ? 3 : 2; n > 0; n--, value = Math.floor(value / 45)) text += ALPHABET[value % 45];
  }
  return text;
}

/**
 * The bytes of a base45 text. Each byte string has one text, and no other is accepted.
 *
 * @param {string} text
 * @returns {Uint8Array}
 * @throws {Malformed} for a character outside the alphabet, a length of 3n + 1, and a group above FFFF or FF
 */
export function decode(text) {
  if (text.length % 3 === 1) throw new Malformed("not base45");
  const bytes = new Uint8Array(Math.floor((text.length * 2) / 3));
  for (let at = 0, to = 0; at < text.length; at += 3, to += 2) {
    const whole = at + 2 < text.length;
    const value = digit(text, at) + 45 * digit(text, at + 1) + (whole ? 2025 * digit(text, at + 2) : 0);
    if (value > (whole ? 0xffff : 0xff)) throw new Malformed("not base45");
    if (whole) bytes[to] = value >> 8;
    bytes[whole ? to + 1 : to] = value & 0xff;
  }
  return bytes;
}

function digit(text, at) {
  const value = VALUES.get(text[at]);
  if (value === undefined) throw new Malformed("not base45");
  return value;
}
