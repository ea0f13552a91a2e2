/** `wrong_gate`: the token is bound to another gate, or the pass does not name this one or a zone behind it. */

import { sides } from "../model.js";

export const code = "wrong_gate";

/** Refuses where neither the gate nor a zone that it leads into is named; going out, the zone that is left counts. */
export function refuses({ token, pass, gate, direction }) {
  if (token === null || pass === null) return false;
  if (token.gate !== null && token.gate !== gate.id) return true;
  const { every_gate, gates, zones } = pass.scope;
  if (every_gate || gates.includes(gate.id)) return false;
  const [before, after] = sides(gate, direction);
  return !(direction === "exit" ? before : after).some((zone) => zones.includes(zone));
}
