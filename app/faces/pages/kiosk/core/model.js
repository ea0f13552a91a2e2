/** What more than one rule is written with. Times and lengths of time are microseconds, as everywhere here. */

export const SECOND = 1_000_000;

/** How far clocks may differ. */
export const LEEWAY = 30 * SECOND;

/**
 * The zones that somebody is in before and after a gate. A gate for both directions is described as one goes in.
 *
 * @param {{direction: string, from_zones: string[], into_zones: string[]}} gate
 * @param {string} direction
 * @returns {[string[], string[]]}
 */
export function sides(gate, direction) {
  const turned = direction === "exit" && gate.direction === "both";
  return turned ? [gate.into_zones, gate.from_zones] : [gate.from_zones, gate.into_zones];
}

/**
 * Whether nobody is held back: at an exit gate, or at one for both by a device bound to the exit side.
 *
 * @param {{direction: string}} gate
 * @param {boolean} exitBound
 * @returns {boolean}
 */
export function isExitSide(gate, exitBound) {
  return gate.direction === "exit" || (exitBound && gate.direction === "both");
}
