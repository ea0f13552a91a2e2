/**
 * `token_revoked`: the token was revoked, or all tokens of its epoch were.
 *
 * The epoch goes up when a database is restored from a backup: what was redeemed since the backup is forgotten.
 */

export const code = "token_revoked";
export const endsRepeat = true;

/** Refuses a revoked token and one of an older epoch. */
export function refuses({ token, epoch }) {
  return token !== null && (token.revoked || token.epoch < epoch);
}
