/** The numbers in anything of ours. */

/**
 * @param {*} value what was decoded
 * @returns {boolean} whether it is an integer from 0 to 2^53 - 1
 */
export function isUint(value) {
  return Number.isSafeInteger(value) && value >= 0;
}
