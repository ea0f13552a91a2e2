// How a driver in JavaScript is spoken to: as those in Python are, see ../drivers/dialogue.py.

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

export const SETTINGS = JSON.parse(process.argv[2]);

export class Picture {
  constructor(path) {
    this.path = path;
  }

  bytes() {
    return readFileSync(this.path);
  }

  base64() {
    return this.bytes().toString("base64");
  }
}

// What a client prints is no answer.
console.log = console.error;

function asPicture(_, value) {
  const isPicture = value !== null && typeof value === "object" && Object.keys(value).join() === "path";
  return isPicture ? new Picture(value.path) : value;
}

export async function converse(calls, codeOf = () => null) {
  for await (const line of createInterface({ input: process.stdin })) {
    const asked = JSON.parse(line, asPicture);
    let answer;
    try {
      answer = { result: (await calls[asked.call](asked.arguments)) ?? null };
    } catch (error) {
      answer = { error: error.name ?? "Error", message: error.message ?? JSON.stringify(error), code: codeOf(error) };
    }
    process.stdout.write(JSON.stringify(answer) + "\n");
  }
}
