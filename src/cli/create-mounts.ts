// SPDX-License-Identifier: Apache-2.0
import { resolve } from "node:path";
import { TareError } from "../base/index.ts";
import { parseMount, parseTmpfs, parseVolume } from "../options/index.ts";
import { allValues, defined } from "./flag-value.ts";
import type { ContainerMount } from "../engine/index.ts";
import type { Mount } from "../options/index.ts";
import type { CommandContext } from "./context.ts";
import type { ParsedArguments } from "./parsed.ts";

/** The mounts of `-v`, `--mount` and `--tmpfs`. Throws `E_USAGE`, also for two with one target. */
export function mountsOf(context: CommandContext, parsed: ParsedArguments): readonly ContainerMount[] {
  const { cwd } = context;
  const mounts = [
    ...allValues(parsed, "volume", (text) =>
      containerMount(parseVolume(expandHome(text, context.env), cwd), cwd, true),
    ),
    ...allValues(parsed, "mount", (text) => containerMount(parseMount(text, cwd), cwd, false)),
    ...allValues(parsed, "tmpfs", (text) => containerMount(parseTmpfs(text), cwd, false)),
  ];
  const seen = new Set<string>();
  for (const { target } of mounts) {
    if (seen.has(target)) throw new TareError("E_USAGE", `duplicate mount point: ${target}`, { exitCode: 125 });
    seen.add(target);
  }
  return mounts;
}

/** `-v ~/data:/data` where the shell did not expand it (`--volume=~/data:/data`). */
function expandHome(text: string, env: CommandContext["env"]): string {
  return text.startsWith("~/") && env["HOME"] ? env["HOME"] + text.slice(1) : text;
}

/** `isShort`: from `-v`, which creates what is missing. */
function containerMount(mount: Mount, cwd: string, isShort: boolean): ContainerMount {
  switch (mount.type) {
    case "bind":
      return bindMount(mount, cwd, isShort);
    case "volume":
      checkVolumeDriver(mount.volume?.driver);
      return {
        type: "volume",
        target: mount.target,
        readonly: mount.readOnly,
        noCopy: mount.volume?.noCopy ?? false,
        ...defined({
          source: mount.source,
          subpath: mount.volume?.subpath,
          labels: mount.volume?.labels,
          driverOptions: mount.volume?.driverOptions,
        }),
      };
    case "tmpfs":
      return {
        type: "tmpfs",
        target: mount.target,
        readonly: mount.readOnly,
        options: mount.tmpfs?.options ?? [],
        ...defined({ size: mount.tmpfs?.sizeBytes, mode: mount.tmpfs?.mode }),
      };
    case "image":
      return {
        type: "image",
        source: mount.source ?? "",
        target: mount.target,
        readonly: true,
        ...defined({ subpath: mount.image?.subpath }),
      };
  }
}

function bindMount(mount: Mount, cwd: string, isShort: boolean): ContainerMount {
  return {
    type: "bind",
    source: resolve(cwd, mount.source ?? ""),
    target: mount.target,
    readonly: mount.readOnly,
    createSource: isShort || (mount.bind?.createSource ?? false),
    recursive: mount.bind?.recursive !== "disabled",
    ...(mount.bind?.recursive === "readonly" ? { recursiveReadOnly: true } : {}),
    ...defined({ propagation: mount.bind?.propagation, selinux: mount.relabel }),
  };
}

/** `--volume-driver`. Throws `E_UNSUPPORTED` for all but `local`. */
export function checkVolumeDriver(driver: string | undefined): void {
  if (driver !== undefined && driver !== "" && driver !== "local") throw foreignDriver(driver);
}

function foreignDriver(driver: string): TareError {
  return new TareError("E_UNSUPPORTED", `volume driver \`${driver}\`: only \`local\` exists`, {
    hint: "mount what the driver would on this machine, and give its folder with `-v`",
    exitCode: 125,
  });
}
