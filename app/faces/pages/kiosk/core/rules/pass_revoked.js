/** `pass_revoked`: the pass was taken back for good. */

export const code = "pass_revoked";
export const endsRepeat = true;

/** Refuses every token of a revoked pass. */
export function refuses({ pass }) {
  return pass !== null && pass.status === "revoked";
}
