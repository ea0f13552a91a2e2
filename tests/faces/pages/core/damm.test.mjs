/** The check digit of typed codes. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { checkDigit } from "../../../../app/faces/pages/kiosk/core/damm.js";

test("the published example", () => assert.equal(checkDigit("572"), "4"));

test("every wrong digit and every swap of two neighbours in a code is found", () => {
  const right = "104283920170";
  const holds = (digits) => checkDigit(digits.slice(0, -1)) === digits.at(-1);
  assert.ok(holds(right));
  for (let at = 0; at < right.length; at++) {
    for (const digit of "0123456789") {
      const typed = right.slice(0, at) + digit + right.slice(at + 1);
      assert.equal(holds(typed), typed === right);
    }
    const swapped = right.slice(0, at) + (right[at + 1] ?? "") + right[at] + right.slice(at + 2);
    assert.equal(holds(swapped), swapped === right);
  }
});
