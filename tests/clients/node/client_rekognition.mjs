// @aws-sdk/client-rekognition, set up by environment variables alone. Called by the names of the API's operations.

import { Rekognition } from "@aws-sdk/client-rekognition";
import { converse, Picture } from "./dialogue.mjs";

const client = new Rekognition();

function withBytes(value) {
  if (value instanceof Picture) return value.bytes();
  if (Array.isArray(value)) return value.map(withBytes);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withBytes(item)]));
}

const calls = new Proxy(
  {},
  { get: (_, operation) => (given) => client[operation[0].toLowerCase() + operation.slice(1)](withBytes(given)) },
);

converse(calls, (error) => (error.$response ? error.name : null));
