// SPDX-License-Identifier: Apache-2.0
import { TareError, execute } from "../base/index.ts";
import type { ContainerTask } from "./task.ts";

/**
 * Network interfaces of the host that move into a container came with version 1.3 of the specification; a runtime that does
 * not know the field passes over it without a word. Throws `E_UNSUPPORTED` for one that does not say that it does.
 */
export async function requireNetDevices({ runtime, spec }: Pick<ContainerTask, "runtime" | "spec">): Promise<void> {
  const interfaces = Object.keys(spec.linux.netDevices ?? {});
  if (interfaces.length === 0) return;
  const { code, stdout } = await execute(runtime.path, ["features"]);
  if (code === 0 && movesInterfaces(stdout)) return;
  const { name, version } = runtime;
  throw new TareError(
    "E_UNSUPPORTED",
    `giving the network interface ${interfaces.join(", ")} to the container: ${name} ${version} can't move interfaces`,
    { hint: "install a newer runtime: one whose `features` has `netDevices`", exitCode: 125 },
  );
}

function movesInterfaces(text: string): boolean {
  try {
    const features = JSON.parse(text) as { readonly linux?: { readonly netDevices?: { readonly enabled?: unknown } } };
    return features.linux?.netDevices?.enabled === true;
  } catch {
    return false;
  }
}
