// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";
import { ALLOWED_ON, ALLOWED_WITH, ALWAYS_ALLOWED } from "./seccomp-syscalls.ts";
import type { OciSeccomp, SeccompArgument, SeccompRule } from "./spec-types.ts";

/** Processor names as in OCI image configs. */
export type SeccompArch = "amd64" | "arm64" | "riscv64";

// Without x32, which no distribution's kernel enables by default: it costs 8 ms of filter compilation at each start.
const ARCHITECTURES: Readonly<Record<SeccompArch, readonly string[]>> = {
  amd64: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
  arm64: ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
  riscv64: ["SCMP_ARCH_RISCV64"],
};

const ALLOW = "SCMP_ACT_ALLOW";
const ENOSYS = 38;
const NEW_NAMESPACES = 0x7e020000;
const AF_ALG = 38;
// AF_VSOCK (40) is left out. Exact values, not "anything but": the kernel truncates the argument to 32 bits, the filter
// compares 64, so a "not equal" rule would let 0x1_0000_0026 through as AF_ALG.
const FAMILIES_ABOVE_ALG = [39, 41, 42, 43, 44, 45];
// 0 Linux, 8 Linux32, 0x20000 UNAME26 and its 32-bit form, 0xffffffff asks only.
const PERSONALITIES = [0, 8, 0x20000, 0x20008, 0xffffffff];

/**
 * The default filter for these capabilities and this processor: an allow-list with the effect of Docker's, and tighter
 * for AF_ALG. Everything else fails with EPERM; `clone3` with ENOSYS, so that C libraries fall back to `clone`.
 */
export function defaultSeccomp(capabilities: readonly string[], arch: SeccompArch): OciSeccomp {
  const held = new Set(capabilities);
  const names = new Set(ALWAYS_ALLOWED);
  for (const [capability, list] of ALLOWED_WITH) if (held.has(capability)) addAll(names, list);
  addAll(names, ALLOWED_ON[arch] ?? "");
  const syscalls: SeccompRule[] = [{ names: [...names].sort(), action: ALLOW }, ...argumentRules()];
  if (!held.has("CAP_SYS_ADMIN")) syscalls.push(...withoutNamespaces());
  return { defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 1, architectures: ARCHITECTURES[arch], syscalls };
}

/**
 * Turns a profile file (Docker's format with `archMap`, `includes`, `excludes`, or the specification's) into a filter.
 * Throws `E_USAGE` when it is not one.
 */
export function resolveSeccomp(profile: unknown, capabilities: readonly string[], arch: SeccompArch): OciSeccomp {
  if (!isRecord(profile) || typeof profile["defaultAction"] !== "string" || !isList(profile["syscalls"])) {
    throw new TareError("E_USAGE", "reading the seccomp profile: `defaultAction` or `syscalls` is missing", {
      exitCode: 125,
    });
  }
  const held = new Set(capabilities);
  const rules = profile["syscalls"].filter((rule) => applies(rule, held, arch)).map(toRule);
  const errno = profile["defaultErrnoRet"];
  return {
    defaultAction: profile["defaultAction"],
    ...(typeof errno === "number" ? { defaultErrnoRet: errno } : {}),
    architectures: isList(profile["architectures"]) ? profile["architectures"].map(String) : ARCHITECTURES[arch],
    ...(isList(profile["flags"]) ? { flags: profile["flags"].map(String) } : {}),
    syscalls: rules.filter((rule) => rule.names.length > 0),
  };
}

/** The name that profiles use for this process's processor. Throws `E_UNSUPPORTED` elsewhere. */
export function hostSeccompArch(architecture: string = process.arch): SeccompArch {
  const names: Readonly<Record<string, SeccompArch>> = { x64: "amd64", arm64: "arm64", riscv64: "riscv64" };
  const arch = names[architecture];
  if (arch !== undefined) return arch;
  throw new TareError("E_UNSUPPORTED", `choosing the seccomp profile: no profile for processor \`${architecture}\``, {
    hint: "use `--security-opt seccomp=FILE` with a profile for it",
    exitCode: 125,
  });
}

function argumentRules(): SeccompRule[] {
  const equals = (value: number): SeccompArgument => ({ index: 0, value, op: "SCMP_CMP_EQ" });
  return [
    { names: ["socket"], action: ALLOW, args: [{ index: 0, value: AF_ALG, op: "SCMP_CMP_LT" }] },
    ...FAMILIES_ABOVE_ALG.map((value) => ({ names: ["socket"], action: ALLOW, args: [equals(value)] })),
    ...PERSONALITIES.map((value) => ({ names: ["personality"], action: ALLOW, args: [equals(value)] })),
  ];
}

function withoutNamespaces(): SeccompRule[] {
  const noNamespaces = { index: 0, value: NEW_NAMESPACES, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" };
  return [
    { names: ["clone", "unshare"], action: ALLOW, args: [noNamespaces] },
    { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: ENOSYS },
  ];
}

function applies(rule: unknown, held: ReadonlySet<string>, arch: string): boolean {
  if (!isRecord(rule)) return false;
  const includes = isRecord(rule["includes"]) ? rule["includes"] : {};
  const excludes = isRecord(rule["excludes"]) ? rule["excludes"] : {};
  const caps = strings(includes["caps"]);
  const arches = strings(includes["arches"]);
  if (!caps.every((name) => held.has(name))) return false;
  if (arches.length > 0 && !arches.includes(arch)) return false;
  return !strings(excludes["caps"]).some((name) => held.has(name)) && !strings(excludes["arches"]).includes(arch);
}

function toRule(rule: unknown): SeccompRule {
  const record = isRecord(rule) ? rule : {};
  const single = typeof record["name"] === "string" ? [record["name"]] : [];
  const args = isList(record["args"]) ? record["args"].filter(isRecord).map(toArgument) : [];
  const errno = record["errnoRet"];
  return {
    names: [...single, ...strings(record["names"])],
    action: String(record["action"]),
    ...(typeof errno === "number" ? { errnoRet: errno } : {}),
    ...(args.length > 0 ? { args } : {}),
  };
}

function toArgument(record: Readonly<Record<string, unknown>>): SeccompArgument {
  return {
    index: Number(record["index"] ?? 0),
    value: Number(record["value"] ?? 0),
    ...(record["valueTwo"] === undefined ? {} : { valueTwo: Number(record["valueTwo"]) }),
    op: String(record["op"]),
  };
}

function addAll(target: Set<string>, list: string): void {
  for (const name of list.split(" ")) if (name !== "") target.add(name);
}

function strings(value: unknown): string[] {
  return isList(value) ? value.map(String) : [];
}

function isList(value: unknown): value is unknown[] {
  return Array.isArray(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
