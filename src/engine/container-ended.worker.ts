// SPDX-License-Identifier: Apache-2.0
// conmon starts this program when a detached container has ended: `node container-ended.worker.ts ROOT RUNROOT NS ID`.
// A program apart, so that it loads neither the command line nor the build. Nobody reads what it might say: what it
// could not clear up is done by the next command's recovery.
import { existsSync } from "node:fs";
import { cleanupContainer, containerContext } from "../containers/index.ts";
import { openStore } from "../store/index.ts";
import { containerCommands } from "./container-commands.ts";

void main(process.argv.slice(2));

async function main([root = "", runRoot = "", mountNamespace = "", id = ""]: readonly string[]): Promise<void> {
  // A store that was deleted meanwhile must not be made again.
  if (!existsSync(root)) return;
  const store = openStore({ root, runRoot });
  try {
    await cleanupContainer(containerContext({ store, ...containerCommands({ root, runRoot, mountNamespace }) }), id);
  } catch {
    process.exitCode = 1;
  } finally {
    store.close();
  }
}
