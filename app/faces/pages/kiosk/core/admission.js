/** What an admission changes, as far as a verifier without the network keeps it: the token is used. */

/**
 * The use of the token by which these people are let in.
 *
 * @param {object} facts of an attempt whose token and pass are known
 * @returns {object} `let_in` is how many people the token has let in until now, these included
 */
export function nextUse({ last_use: last, token, pass, verification, now, gate, credential, direction, people }) {
  const before = last === null || token.reusable ? 0 : last.let_in;
  return {
    number: last === null ? 1 : last.number + 1,
    verification,
    at: now,
    gate: gate.id,
    credential,
    direction,
    voided: false,
    reserved_until: null,
    let_in: before + people,
    people,
    pass: pass.id,
  };
}
