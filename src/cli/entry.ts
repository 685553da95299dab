// SPDX-License-Identifier: Apache-2.0
// The program: `dist/tare.cjs` is bundled from here.
import { main } from "./main.ts";

void main({ words: process.argv.slice(2), env: process.env, cwd: process.cwd(), exiting: true }).then((code) =>
  process.exit(code),
);
