// SPDX-License-Identifier: Apache-2.0
/*
 * The same CDI specification by podman, which has the standard's library of another age: what podman makes of its own
 * configuration with a device must be what Tare's edits make of podman's configuration without one. Nothing is started: a
 * script in the runtime's place keeps config.json. podman reads /run/cdi only, so all happens in a mount namespace.
 */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { applyEdits, loadCdi } from "../../src/gpu/index.ts";
import type { OciSpec } from "../../src/runtime/index.ts";
import { hasPrograms } from "../support/peer-program.ts";

const isHere = hasPrograms(process.getuid?.() === 0 ? undefined : "needs root", "podman", "busybox");

/** Version 0.5.0 is the newest that podman 4.3 takes. */
const SPECIFICATION = {
  cdiVersion: "0.5.0",
  kind: "example.com/gpu",
  containerEdits: {
    env: ["SPEC=1", "PATH=/opt/gpu/bin:/bin"],
    deviceNodes: [{ path: "/dev/gpuctl", hostPath: "/dev/full", permissions: "r" }],
    mounts: [{ hostPath: "/etc/hostname", containerPath: "/opt/gpu/deep/er/file", options: ["ro", "bind"] }],
    hooks: [{ hookName: "createRuntime", path: "/bin/true", args: ["true", "-x"], env: ["A=1"], timeout: 3 }],
  },
  devices: [
    {
      name: "0",
      containerEdits: {
        env: ["GPU=0", "EMPTY="],
        deviceNodes: [{ path: "/dev/gpu0", hostPath: "/dev/zero" }, { path: "/dev/null" }],
        mounts: [{ hostPath: "/etc", containerPath: "/opt", options: ["rbind", "ro", "nosuid", "rprivate"] }],
        hooks: [
          { hookName: "createContainer", path: "/bin/true" },
          { hookName: "poststop", path: "/bin/true" },
        ],
      },
    },
    {
      name: "a.b:1",
      containerEdits: {
        env: ["GPU=1"],
        deviceNodes: [
          { path: "/dev/gpu1", type: "c", major: 195, minor: 7, uid: 5, gid: 6 },
          { path: "/dev/gpu0", hostPath: "/dev/zero", permissions: "rw" },
        ],
        mounts: [{ hostPath: "tmpfs", containerPath: "/opt/mem", type: "tmpfs", options: ["size=1m"] }],
      },
    },
  ],
};

const CASES: readonly (readonly [name: string, devices: readonly string[], flags: readonly string[]])[] = [
  ["one device", ["0"], []],
  ["two devices of one specification", ["a.b:1", "0"], []],
  ["another user", ["0", "a.b:1"], ["--user", "1000:1001"]],
  ["privileged", ["0"], ["--privileged"]],
  ["read-only", ["a.b:1"], ["--read-only", "--env", "GPU=mine", "--env", "OTHER=1"]],
  ["the user's own at the same paths", ["0"], ["-v", "/tmp:/opt", "--device", "/dev/zero:/dev/gpu0"]],
];

const KEEP = `#!/bin/sh
last=
for word; do [ "$last" = --bundle ] && bundle=$word; last=$word; done
[ -z "$bundle" ] || cp "$bundle/config.json" "$(cat "$(dirname "$0")/target")"
exit 1
`;

let root = "";
let found = "";

/** Runs all cases in one namespace: podman without and with the devices. Sees what it says of an unknown one. */
function runPodman(): string {
  const podman = `podman --cgroup-manager=cgroupfs --root ${root}/store --runroot ${root}/run --storage-driver vfs --runtime ${root}/keep`;
  const lines = CASES.flatMap(([, devices, flags], index) => {
    const given = devices.map((name) => `--device example.com/gpu=${name}`).join(" ");
    const run = `${podman} run --rm --network none ${flags.join(" ")}`;
    return [
      `echo ${root}/${index}.without > ${root}/target; ${run} image sh 2>/dev/null`,
      `echo ${root}/${index}.with > ${root}/target; ${run} ${given} image sh 2>/dev/null`,
    ];
  });
  const script = [
    `mount -t tmpfs none /run && mkdir /run/cdi && cp ${root}/cdi.json /run/cdi/`,
    `${podman} import -q ${root}/image.tar image >/dev/null 2>&1`,
    ...lines,
    `${podman} run --rm --network none --device example.com/gpu=9 --device example.org/none=d image sh 2>&1`,
    "true",
  ].join("\n");
  return execFileSync("unshare", ["-m", "sh", "-c", script], { encoding: "utf8", timeout: 60_000 });
}

function configOf(index: number, kind: string): OciSpec {
  return JSON.parse(
    fs.readFileSync(join(root, `${index}.${kind}`), "utf8").replaceAll(/[0-9a-f]{64}/g, "ID"),
  ) as OciSpec;
}

/** What CDI changes, in a form in which the two can be compared. */
function compared({ process, mounts, hooks, linux }: OciSpec): object {
  const { env, user } = process;
  const sorted = (list: readonly object[] | undefined): readonly string[] =>
    (list ?? []).map((one) => canonical(one)).sort();
  return {
    env: Object.fromEntries(
      env.filter((entry) => !entry.startsWith("HOSTNAME=")).map((entry) => [entry.split("=", 1)[0], entry]),
    ),
    user,
    hooks: hooks ?? {},
    // The library that podman has leaves modes out.
    devices: sorted((linux.devices ?? []).map((device) => ({ ...device, fileMode: 0 }))),
    rules: [...new Set(sorted(linux.resources.devices))],
    mounts: sorted(mounts),
  };
}

function canonical(value: object): string {
  return JSON.stringify(Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))));
}

describe.skipIf(!isHere)("CDI beside podman", () => {
  beforeAll(() => {
    root = fs.mkdtempSync(join(tmpdir(), "tare-cdi-podman-"));
    fs.mkdirSync(join(root, "tree/bin"), { recursive: true });
    fs.copyFileSync("/bin/busybox", join(root, "tree/bin/sh"));
    execFileSync("tar", ["-C", join(root, "tree"), "-cf", join(root, "image.tar"), "."]);
    fs.writeFileSync(join(root, "keep"), KEEP, { mode: 0o755 });
    fs.writeFileSync(join(root, "cdi.json"), JSON.stringify(SPECIFICATION));
    fs.mkdirSync(join(root, "cdi"));
    fs.copyFileSync(join(root, "cdi.json"), join(root, "cdi/cdi.json"));
    found = runPodman();
  }, 90_000);
  afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

  it.each(CASES.map(([name, devices], index) => [name, devices, index] as const))(
    "%s",
    async (_name, devices, index) => {
      const registry = await loadCdi({ directories: [join(root, "cdi")] });
      const edits = registry.edits(devices.map((name) => `example.com/gpu=${name}`));
      const ours = applyEdits(configOf(index, "without"), edits);
      const theirs = configOf(index, "with");
      expect(theirs.process.env).toContain("SPEC=1");
      expect(compared(ours)).toEqual(compared(theirs));
      for (const { mounts } of [ours, theirs]) {
        const depths = mounts.map(({ destination }) => destination.split("/").length);
        expect(depths).toEqual(depths.toSorted((a, b) => a - b));
      }
    },
  );

  it("unknown devices are refused in the same words", async () => {
    const registry = await loadCdi({ directories: [join(root, "cdi")] });
    const text = "unresolvable CDI devices example.com/gpu=9, example.org/none=d";
    expect(found).toContain(text);
    expect(() => registry.edits(["example.com/gpu=9", "example.org/none=d"])).toThrow(text);
  });
});
