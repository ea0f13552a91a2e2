/** The name of one attempt: the service gives the same answer again for it, whoever carries it there. */

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LENGTH = 22;

/** @returns {string} `k-` and 22 random characters */
export function newRequestId() {
  let id = "k-";
  while (id.length < LENGTH + 2) {
    for (const byte of crypto.getRandomValues(new Uint8Array(32))) {
      if (byte < 248 && id.length < LENGTH + 2) id += DIGITS[byte % 62];
    }
  }
  return id;
}
