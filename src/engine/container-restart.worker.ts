// SPDX-License-Identifier: Apache-2.0
// The waiter of a container with a restart policy becomes this program when its moment has come:
// `node container-restart.worker.ts ROOT RUNROOT NS ID MOMENT`. Why a start failed is in the container's record.
import { containerContext, restartContainerDue } from "../containers/index.ts";
import { openStore } from "../store/index.ts";
import { containerCommands } from "./container-commands.ts";

void main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<void> {
  const [root = "", runRoot = "", mountNamespace = "", id = "", due = ""] = words;
  const store = openStore({ root, runRoot });
  try {
    const context = containerContext({ store, ...containerCommands({ root, runRoot, mountNamespace }) });
    await restartContainerDue(context, id, Number(due));
  } catch {
    process.exitCode = 1;
  } finally {
    store.close();
  }
}
