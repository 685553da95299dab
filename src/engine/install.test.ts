// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { isTareError } from "../base/index.ts";
import type { HostCheck } from "./facade.ts";
import { install, planInstall } from "./install.ts";
import { findProgram } from "./programs.ts";

const FINE: HostCheck = { name: "git", status: "ok", detail: "2.39", needed: "git", package: "git" };
const LACKING: HostCheck = { name: "runtime", status: "missing", detail: "", needed: "run", package: "runc" };
const DOUBTFUL: HostCheck = { name: "kernel", status: "warning", detail: "4.9", needed: "run" };

describe("the plan of an installation", () => {
  it("is empty when nothing is missing that a package brings", () => {
    expect(planInstall([FINE, DOUBTFUL])).toEqual({ packages: [], commands: [] });
  });

  it.runIf(findProgram("apt-get"))("names each package once, and asks for root by sudo", () => {
    const plan = planInstall([LACKING, { ...LACKING, name: "again" }, FINE], false);
    expect(plan.packages).toEqual(["runc"]);
    expect(plan.commands).toEqual([
      ["sudo", "apt-get", "update"],
      ["sudo", "apt-get", "install", "-y", "--no-install-recommends", "runc"],
    ]);
    expect(planInstall([LACKING], true).commands[0]).toEqual(["apt-get", "update"]);
  });

  it.runIf(process.getuid?.() === 0)("runs its commands in order and stops at the first that fails", async () => {
    const lines: string[] = [];
    const commands = [["echo", "one"], ["false"], ["echo", "never"]];
    const listener = (event: { readonly kind: string; readonly data?: Uint8Array }): void => {
      if (event.data) lines.push(Buffer.from(event.data).toString("utf8").trim());
    };
    const work = install({ packages: ["x"], commands }, { listener }, { PATH: "/usr/bin:/bin" });
    const error: unknown = await work.catch((reason: unknown) => reason);
    expect(isTareError(error, "E_PROGRAM_FAILED")).toBe(true);
    expect(lines).toEqual(["+ echo one", "one", "+ false"]);
  });
});
