// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { assess } from "./assess.ts";
import type { RunOp } from "../../graph/index.ts";

const SH = ["/bin/sh", "-c"];

function step(args: readonly string[], more: Partial<RunOp> = {}): RunOp {
  const fixed = { type: "run", cwd: "/", mounts: [], network: "default", security: "sandbox", devices: [] } as const;
  return { ...fixed, args, env: ["PATH=/bin", "V=3.10"], user: "", ...more };
}

/** The installations of a step, `reason: …`, or undefined when it installs nothing. */
function seen(op: RunOp): unknown {
  const assessment = assess(op);
  if (assessment === undefined) return undefined;
  return "reason" in assessment ? `reason: ${assessment.reason}` : assessment.installs.map(({ text }) => text);
}

describe("assess", () => {
  it.each([
    ["pip install six", ["pip install six"]],
    ["pip install six && rm -rf /root/.cache", ["pip install six"]],
    ["set -eux; pip install idna==$V; pip cache purge", ["pip install idna==$V"]],
    [
      "cd /app && pip install -r a.txt && cd b && pip install x",
      ["cd /app && pip install -r a.txt", "cd /app && cd b && pip install x"],
    ],
    ["pip install --upgrade pip && pip install six", ["pip install --upgrade pip", "pip install six"]],
    ["X=1 pip install six", ["X=1 pip install six"]],
    ["UV_SYSTEM_PYTHON=1 uv pip install six", ["UV_SYSTEM_PYTHON=1 uv pip install six"]],
    ["PIP_TARGET=/x pip install six", "reason: PIP_TARGET is set"],
    ["PIP_NO_COMPILE=1 pip install six", "reason: PIP_NO_COMPILE is set"],
    ["UV_PYTHON=3.12 uv pip install --system six", "reason: UV_PYTHON is set"],
    ["cd /app && uv sync --frozen", ["cd /app && uv sync --frozen"]],
    ["uv sync --frozen && make", "reason: it does more than install"],
    ["uv sync | cat", "reason: it has a pipe or `||`"],
    ["uv pip install six", "reason: without --system, uv installs into a virtual environment"],
    ["pip install six && pip install -e .", "reason: an editable install needs its sources"],
    ["pip install six && make", "reason: it does more than install"],
    ["apt-get update && pip install six", "reason: it does more than install"],
    ["set -o nounset; pip install six", "reason: it does more than install"],
    ["pip install six | tee log", "reason: it has a pipe or `||`"],
    ["pip install -r $HOME/a.txt", ["pip install -r $HOME/a.txt"]],
    ["pip install $WHAT", "reason: it has the variable WHAT, which only the shell knows"],
    ["pip freeze", undefined],
    ["echo pip install", undefined],
    ["apt-get install -y python3-pip", undefined],
    ["rm -rf /root/.cache", undefined],
  ])("%s", (script, expected) => {
    expect(seen(step([...SH, script]))).toEqual(expected);
  });

  it.each([
    ["/bin/bash -o pipefail -c", true],
    ["/bin/bash -euxo pipefail -c", true],
    ["/bin/sh -ec", true],
    ["/bin/bash -eo pipefail -c", true],
    ["/bin/bash -lc", false],
    ["/bin/bash --login -c", false],
    ["/bin/sh", false],
  ])("of a shell `%s`", (shell, isRead) => {
    expect(seen(step([...shell.split(" "), "pip install six"]))).toEqual(isRead ? ["pip install six"] : undefined);
  });

  it("of a step without a shell, whose words need no quotes", () => {
    expect(seen(step(["pip", "install", "six<2", "a b"]))).toEqual(["pip install 'six<2' 'a b'"]);
  });

  it.each([
    [{ user: "me" }, "reason: it does not run as root"],
    [{ user: "0:100" }, "reason: it does not run as root"],
    [{ user: "0:0" }, ["pip install six"]],
    [{ security: "insecure" as const }, "reason: it has --security=insecure"],
    [{ devices: [{ name: "v/c=d", required: false }] }, "reason: it has --device"],
  ])("with %j", (more, expected) => {
    expect(seen(step([...SH, "pip install six"], more))).toEqual(expected);
  });
});
