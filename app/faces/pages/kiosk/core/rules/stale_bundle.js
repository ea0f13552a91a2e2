/** `stale_bundle`: without the network, what the verifier knows is too old. */

export const code = "stale_bundle";
export const endsRepeat = true;
export const overridable = false;

/** Refuses from the bundle's greatest age on: what was revoked since is not known. */
export function refuses({ offline, now }) {
  return offline !== null && now >= offline.issued_at + offline.max_stale;
}
