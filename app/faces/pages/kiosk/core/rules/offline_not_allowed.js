/**
 * `offline_not_allowed`: the gate does not let anybody in by such a token while it has no network.
 *
 * `refuse` lets nobody in, `bound_tokens` by tokens that are bound to the gate, `admit_and_reconcile` by every token
 * that verifies. Two proofs are never taken without the network, since a typed code cannot be verified there.
 */

export const code = "offline_not_allowed";
export const overridable = false;

/** Refuses what the gate's policy leaves to the service. */
export function refuses({ offline, gate, direction, token }) {
  if (offline === null) return false;
  if (offline.policy === "refuse") return true;
  if (gate.second_proof > 0 && direction !== "exit") return true;
  return offline.policy === "bound_tokens" && token !== null && token.gate === null;
}
