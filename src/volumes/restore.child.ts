// SPDX-License-Identifier: Apache-2.0
// A process that a test kills while it restores: `node restore.child.ts ROOT VOLUME FILE`.
import { fileChunks } from "../base/index.ts";
import { openStore } from "../store/index.ts";
import { restoreVolume } from "./copies.ts";

const [root = "", name = "", file = ""] = process.argv.slice(2);
const publication = { name, labels: {}, replace: true, running: () => [] };
await restoreVolume(openStore({ root, sync: "none" }), [fileChunks(file)], publication, {});
