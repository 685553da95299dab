// SPDX-License-Identifier: Apache-2.0
/* A process of its own for the tests of `run`: `cleanup ROOT ID` as conmon calls it, `restart ROOT ID MOMENT`, or `run ROOT DIFFID MODE`. */
import { parseDigest } from "../../src/base/index.ts";
import { cleanupContainer, restartContainerDue, runContainer } from "../../src/containers/index.ts";
import { openStore } from "../../src/store/index.ts";
import { createRequest as request } from "../../src/containers/fixture.ts";
import { imageOf, openContext } from "./container-world.ts";

const [command = "", root = "", subject = "", mode = ""] = process.argv.slice(2);
const store = openStore({ root, sync: "none" });
const context = openContext(store, root);
if (command === "cleanup") await cleanupContainer(context, subject);
else if (command === "restart") await restartContainerDue(context, subject, Number(mode));
else {
  const image = imageOf(parseDigest(subject), { Cmd: ["sleep", "60"], Env: ["PATH=/bin"] });
  const wanted = request({ autoRemove: mode.includes("rm") });
  await runContainer(context, image, wanted, mode.includes("detached") ? "detached" : { stdout: 1, stderr: 2 });
}
store.close();
