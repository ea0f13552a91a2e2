/**
 * `signed` (GP1): `GP1:` and the base45 of an untagged COSE_Sign1 with CWT claims. docs/tokens.md has it byte for byte.
 *
 *     [ << {1: -19, 4: kid} >>, {}, << {4: exp, 6: iat, 7: cti, -65537: [class, idx, epoch], ? 3: aud} >>, signature ]
 */

import * as base45 from "../base45.js";
import { encode } from "../cbor.js";
import { envelope, kidIn, labelled, sigStructure } from "../cose.js";
import { toHex } from "../hex.js";
import { ED25519 } from "../keys.js";
import { Malformed } from "../malformed.js";
import { SECOND } from "../model.js";
import { isUint } from "../numbers.js";

const PREFIX = "GP1:";
const MAX_LENGTH = 600;
const MAX_LIFETIME_S = [86_400, 400 * 86_400]; // by class
const AUD = 3;
const EXP = 4;
const IAT = 6;
const CTI = 7;
const GATEPASS = -65537;
const REUSABLE = 1;
const GATE = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/**
 * Its claims, once the signature holds. Nothing that the token says is looked at before that but its `kid`.
 *
 * @param {string} text
 * @param {string} tenant
 * @param {Map<string, import("../keys.js").Key>} keys those that are pinned, by `kid` in hexadecimal
 * @returns {Promise<null | {refused: string} | {claims: object}>} null where it is not of this format
 */
export async function open(text, tenant, keys) {
  if (!text.startsWith(PREFIX)) return null;
  try {
    if (text.length > MAX_LENGTH) throw new Malformed("too long");
    const { header, payload, signature } = envelope(base45.decode(text.slice(PREFIX.length)));
    const key = keys.get(toHex(kidIn(header)));
    if (key === undefined) return { refused: "unknown" };
    const message = sigStructure(header, encode(["GP1", tenant]), payload);
    if (key.algorithm !== ED25519 || !(await key.verify(signature, message))) return { refused: "bad_signature" };
    return { claims: claimsOf(payload) };
  } catch (error) {
    if (error instanceof Malformed) return { refused: "malformed" };
    throw error;
  }
}

function claimsOf(payload) {
  const claims = labelled(payload);
  const bound = claims.has(AUD);
  const ours = claims.get(GATEPASS);
  if (claims.size !== (bound ? 5 : 4) || !Array.isArray(ours) || ours.length !== 3) {
    throw new Malformed("unexpected claims");
  }
  const [kind, idx, epoch] = ours;
  const [exp, iat, cti, gate] = [EXP, IAT, CTI, AUD].map((label) => claims.get(label));
  if (![exp, iat, kind, idx, epoch].every(isUint)) throw new Malformed("not an integer in range");
  if (kind > REUSABLE || exp <= iat || exp - iat > MAX_LIFETIME_S[kind]) {
    throw new Malformed("no such class, or lives too long");
  }
  if (!isUuid7(cti)) throw new Malformed("not a UUIDv7");
  if (bound && !(typeof gate === "string" && GATE.test(gate))) throw new Malformed("not a gate");
  const token = {
    id: toHex(cti),
    kind: "signed",
    issued_at: iat * SECOND,
    expires_at: exp * SECOND,
    gate: bound ? gate : null,
    reusable: kind === REUSABLE,
    epoch,
    revoked: false,
    blocked: false,
  };
  return { kind: "signed", token, idx, number: null };
}

function isUuid7(value) {
  return value instanceof Uint8Array && value.length === 16 && value[6] >> 4 === 7 && value[8] >> 6 === 2;
}
