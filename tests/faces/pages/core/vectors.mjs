/** The vectors in tests/vectors/, as tests/vectors/rules/README.md and docs/tokens.md say that they are read. */

import { readFileSync } from "node:fs";

const FOLDER = new URL("../../../vectors/", import.meta.url);

export function read(name) {
  return JSON.parse(readFileSync(new URL(name, FOLDER), "ascii"));
}

const BASE = read("rules/base.json");

/** The vectors of one file of rules, each with its facts in full. */
export function rule(name) {
  return read(`rules/${name}.json`).vectors.map((each) => ({ ...each, facts: merged(BASE, each.facts) }));
}

function merged(base, differs) {
  const whole = { ...base };
  for (const [name, part] of Object.entries(differs)) {
    const inner = isObject(part) && isObject(base[name]) && part.refused === undefined;
    whole[name] = inner ? merged(base[name], part) : part;
  }
  return whole;
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
