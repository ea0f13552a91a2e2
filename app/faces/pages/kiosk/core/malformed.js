/**
 * What is thrown where bytes or a text are not what they should be. Everything else that is thrown is a mistake of
 * ours.
 */
export class Malformed extends Error {
  name = "Malformed";
}
