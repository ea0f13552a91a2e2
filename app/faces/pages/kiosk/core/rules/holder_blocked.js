/** `holder_blocked`: the holder is on the deny list. A block is lifted, not overridden. */

export const code = "holder_blocked";
export const endsRepeat = true;
export const overridable = false;

/** Refuses every token of a blocked holder. */
export function refuses({ pass }) {
  return pass !== null && pass.holder.blocked;
}
