import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { test } from "node:test";

const ROOT = new URL("../../static/", import.meta.url);

test("the page stays small", () => {
  const sizes = { js: 0, css: 0 };
  for (const name of readdirSync(ROOT, { recursive: true })) {
    const kind = name.split(".").at(-1);
    if (kind in sizes) sizes[kind] += statSync(new URL(name, ROOT)).size;
  }
  assert.ok(sizes.js < 60 * 1024, `${sizes.js} bytes of JavaScript`);
  assert.ok(sizes.css < 20 * 1024, `${sizes.css} bytes of CSS`);
});
