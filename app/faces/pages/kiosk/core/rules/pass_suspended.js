/** `pass_suspended`: the pass is suspended until somebody resumes it. */

export const code = "pass_suspended";
export const endsRepeat = true;

/** Refuses every token of a suspended pass. */
export function refuses({ pass }) {
  return pass !== null && pass.status === "suspended";
}
