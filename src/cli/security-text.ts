// SPDX-License-Identifier: Apache-2.0
/* `inspect --security` in words. */
import type { SecurityReport } from "../engine/index.ts";
import { escapeLine } from "./text/escape.ts";
import { humanSize } from "./text/human.ts";
import { style } from "./text/style.ts";
import type { StyleName } from "./text/style.ts";

const COLORS: Readonly<Record<SecurityReport["findings"][number]["danger"], StyleName>> = {
  critical: "red",
  high: "red",
  medium: "yellow",
  low: "dim",
};

/** A report as a few lines of facts and the findings, the most dangerous first. */
export function securityText(report: SecurityReport, color: boolean): string {
  const rows = factsOf(report);
  const width = Math.max(...rows.map(([name]) => name.length));
  const facts = rows.map(([name, text]) => `  ${name.padEnd(width)}  ${escapeLine(text)}`);
  const title =
    report.kind === "container"
      ? `What the container ${report.name} may do:`
      : `What a container of ${report.name} may do, without any flag:`;
  return `${[title, ...facts, "", ...findingsOf(report, color)].join("\n")}\n`;
}

function factsOf(report: SecurityReport): readonly (readonly [string, string])[] {
  const { capabilities, mounts, ports, devices } = report;
  return [
    ["user", userText(report)],
    ["ids", idsText(report)],
    ["capabilities", capabilityText(capabilities.effective)],
    ["could gain", capabilityText(capabilities.bounding.filter((name) => !capabilities.effective.includes(name)))],
    ["new privileges", report.noNewPrivileges ? "never" : "by setuid programs and file capabilities"],
    ["system calls", { default: "Tare's filter", custom: "a filter of your own", none: "all" }[report.seccomp]],
    ["AppArmor, SELinux", `${report.apparmor}, ${report.selinux}`],
    ["shared with host", list(report.sharedNamespaces.map((name) => `${name} namespace`))],
    ["root file system", report.readOnlyRoot ? "read-only" : "writable, the container's own"],
    ["host's files", list(mounts.map(mountText))],
    ["devices", list(devices.length > 12 ? [`${devices.length} devices`] : devices)],
    ["hidden", `${report.maskedPaths.length} paths masked, ${report.readOnlyPaths.length} read-only`],
    ["ports", list(ports)],
    ["limits", limitsText(report)],
  ];
}

function userText({ user, isRootless }: SecurityReport): string {
  const groups = user.groups.filter((group) => group !== user.gid);
  const more = groups.length === 0 ? "" : `, groups ${groups.join(", ")}`;
  const host = user.hostUid === undefined ? "nobody" : `uid ${user.hostUid}`;
  const where = isRootless || user.hostUid !== user.uid ? `, on the host ${host}` : ", the same on the host";
  return `${user.uid}:${user.gid}${more}${where}`;
}

function idsText({ uidMap }: SecurityReport): string {
  if (uidMap.length === 0) return "the host's own";
  return uidMap
    .map(({ inside, outside, count }) =>
      count === 1 ? `${inside} is ${outside}` : `${inside}-${inside + count - 1} are ${outside}-${outside + count - 1}`,
    )
    .join(", ");
}

function capabilityText(names: readonly string[]): string {
  if (names.length > 20) return `${names.length} capabilities`;
  return list(names.map((name) => name.replace("CAP_", "")));
}

function mountText({ source, destination, writable, kind }: SecurityReport["mounts"][number]): string {
  return `${kind === "bind" ? source : `${kind} ${source}`} at ${destination} (${writable ? "writable" : "read-only"})`;
}

function limitsText({ limits }: SecurityReport): string {
  const { memory, pids, cpus } = limits;
  return list([
    ...(memory === undefined ? [] : [`memory ${humanSize(memory)}`]),
    ...(pids === undefined ? [] : [`${pids} processes`]),
    ...(cpus === undefined ? [] : [`${cpus} processors`]),
  ]);
}

function list(words: readonly string[]): string {
  return words.length === 0 ? "none" : words.join(", ");
}

function findingsOf({ findings }: SecurityReport, color: boolean): readonly string[] {
  if (findings.length === 0) return ["Nothing to remark."];
  return findings.flatMap(({ danger, what, why, fix }) => [
    `${style(color, COLORS[danger], danger.padEnd(8))}  ${escapeLine(what)}: ${escapeLine(why)}`,
    `${" ".repeat(10)}${escapeLine(fix)}`,
  ]);
}
