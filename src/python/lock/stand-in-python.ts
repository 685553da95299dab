// SPDX-License-Identifier: Apache-2.0
/*
 * uv asks an interpreter what it is before it resolves. This one is a script that answers for the image's: no Python
 * is needed on this machine, and the result depends on the target alone. It answers the one question of the pinned uv.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { machineOf } from "../target/tags.ts";
import { markerEnvironment } from "../requirements/marker-evaluation.ts";
import type { PythonTarget } from "../types.ts";

/** Writes the script into a folder; returns its path. */
export function writeStandIn(folder: string, target: PythonTarget): string {
  const answer = join(folder, "python.json");
  const program = join(folder, `python${target.version.split(".").slice(0, 2).join(".")}`);
  fs.writeFileSync(answer, JSON.stringify(describeTarget(target, program)));
  const script = [
    "#!/bin/sh",
    'case "$*" in',
    `*get_interpreter_info*) exec cat '${answer.replaceAll("'", "'\\''")}' ;;`,
    "esac",
    "echo 'this package has to be built to know what it needs, and there is no Python to build it with' >&2",
    "exit 1",
    "",
  ];
  fs.writeFileSync(program, script.join("\n"), { mode: 0o755 });
  return program;
}

function describeTarget(target: PythonTarget, program: string): object {
  const { extra: _extra, extras: _extras, dependency_groups: _groups, ...markers } = markerEnvironment(target);
  const [major, minor] = target.libc.version.split(".").map(Number);
  const { purelib, platlib, headers, scripts, data } = target.scheme;
  const short = target.version.split(".").slice(0, 2).join("");
  const machine = machineOf(target.architecture);
  const name = `python${target.version.split(".").slice(0, 2).join(".")}`;
  return {
    result: "success",
    markers,
    sys_base_prefix: data,
    sys_base_exec_prefix: data,
    sys_prefix: data,
    sys_base_executable: program,
    sys_executable: program,
    sys_path: [purelib],
    site_packages: [purelib],
    stdlib: `${data}/lib/${name}`,
    extension_suffixes: [
      `.cpython-${short}-${machine}-linux-${target.libc.kind === "glibc" ? "gnu" : "musl"}.so`,
      ".abi3.so",
      ".so",
    ],
    standalone: false,
    scheme: { platlib, purelib, include: headers, scripts, data },
    virtualenv: {
      purelib: `lib/${name}/site-packages`,
      platlib: `lib/${name}/site-packages`,
      include: `include/site/${name}`,
      scripts: "bin",
      data: "",
    },
    os: { name: target.libc.kind === "glibc" ? "manylinux" : "musllinux", major, minor },
    arch: machine,
    cpu_info: { detected: { kind: "flags", flags: "" } },
    manylinux_compatible: target.libc.kind === "glibc",
    gil_disabled: target.isFreeThreaded ?? false,
    debug_enabled: false,
    pointer_size: "64",
  };
}
