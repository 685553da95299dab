// SPDX-License-Identifier: Apache-2.0
/*
 * Devices by CDI name in real containers and build steps, with devices that every Linux has: gpu0 is /dev/full, whose
 * driver answers a write with ENOSPC, so that a write shows that it was reached.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoBusybox } from "../support/bases.ts";
import { missingProgram } from "../support/peer-program.ts";
import { addBusyboxImage, openProgramWorld } from "../support/program.ts";
import type { Outcome, ProgramWorld } from "../support/program.ts";

const reason = whyNoBusybox();
if (reason !== undefined) console.log(`skipped: devices by CDI name: ${reason}`);
const RUNTIMES = ["runc", "crun"].filter((name) => missingProgram(name) === undefined);

const DEVICE = "example.com/gpu=0";

let world: ProgramWorld;
const at = (name: string): string => join(world.folder, name);
const tare = (...args: readonly string[]): Outcome => world.tare(args, { env: { XDG_CONFIG_HOME: at("config") } });
const ok = (...args: readonly string[]): string => {
  const { code, out, err } = tare(...args);
  if (code !== 0) throw new Error(`tare ${args.join(" ")}: exit code ${code}\n${err}`);
  return out.trimEnd();
};

function specification(): string {
  return `cdiVersion: 0.7.0
kind: example.com/gpu
annotations: {org.mobyproject.buildkit.device.class: fast}
containerEdits:
  env: [SPEC=1]
  additionalGids: [44]
devices:
- name: 0
  containerEdits:
    env: ["PATH=/opt/gpu/bin:/bin"]
    deviceNodes:
    - {path: /dev/gpu0, hostPath: /dev/full, permissions: rw}
    - {path: /dev/gpu1, type: c, major: 1, minor: 11, permissions: none}
    mounts:
    - {hostPath: ${at("lib.so")}, containerPath: /usr/lib/libgpu.so.1, options: [ro, nosuid, nodev, rbind, rprivate]}
    - {hostPath: ${at("bin")}, containerPath: /opt/gpu/bin, options: [ro, bind]}
    hooks:
    - {hookName: createContainer, path: /bin/sh, args: [sh, -c, "cat > ${at("hooked")}"]}
`;
}

const SEE =
  'echo $SPEC $(id -G); gpu-tool; cat /usr/lib/libgpu.so.1; stat -c "%t:%T %u" /dev/gpu0; echo x > /dev/gpu0; cat /dev/gpu1';

describe.skipIf(reason !== undefined)("devices by CDI name", () => {
  beforeAll(() => {
    world = openProgramWorld("cdi");
    addBusyboxImage(world);
    world.files("", {
      "config/tare/settings.json": JSON.stringify({ cdi: { directories: [at("etc"), at("run")] } }),
      "lib.so": "library\n",
      "bin/gpu-tool": "#!/bin/sh\necho tool\n",
      "etc/gpu.yaml": specification(),
      "etc/broken.yaml": "cdiVersion: 0.5.0\nkind: example.com/gpu\ncolor: red\n",
    });
    fs.chmodSync(at("bin/gpu-tool"), 0o755);
  });
  afterAll(() => world?.close());

  it.each(RUNTIMES)("give %s nodes, rights, mounts, variables, groups and hooks", (runtime) => {
    fs.rmSync(at("hooked"), { force: true });
    const { code, out, err } = tare(
      "run",
      "--rm",
      "--runtime",
      runtime,
      "--device",
      DEVICE,
      "busybox",
      "sh",
      "-c",
      SEE,
    );
    expect([code, out]).toEqual([1, "1 0 10 44\ntool\nlibrary\n1:7 0\n"]);
    expect(err).toMatch(/No space left on device/);
    expect(err).toMatch(/\/dev\/gpu1': Operation not permitted/);
    expect(JSON.parse(fs.readFileSync(at("hooked"), "utf8"))).toMatchObject({ ociVersion: expect.any(String) });
  });

  it("stay for further processes and starts, for another user on a read-only root, and leave no trace", () => {
    ok("run", "-d", "--name", "long", "--user", "1000", "--read-only", "--device", DEVICE, "busybox", "sleep", "300");
    expect(ok("exec", "long", "sh", "-c", 'id -G; stat -c "%u" /dev/gpu0; gpu-tool')).toBe("0 44\n1000\ntool");
    expect(ok("exec", "-u", "33", "long", "sh", "-c", "id -G; gpu-tool")).toBe("33 44\ntool");
    expect(ok("diff", "long")).not.toMatch(/gpu/);
    const request = { Driver: "cdi", Count: 0, DeviceIDs: [DEVICE], Capabilities: null, Options: null };
    expect(JSON.parse(ok("inspect", "-f", "{{json .HostConfig.DeviceRequests}}", "long"))).toEqual([request]);
    ok("commit", "long", "kept");
    expect(ok("run", "--rm", "kept", "sh", "-c", "ls /usr/lib /opt")).not.toMatch(/gpu/);
    ok("stop", "-t", "0", "long");
    fs.renameSync(at("lib.so"), at("lib.gone"));
    const stale = tare("start", "long");
    fs.renameSync(at("lib.gone"), at("lib.so"));
    expect(stale.err).toMatch(/E_CDI_DEVICE.*etc\/gpu\.yaml names what is not on this host: .*\/lib\.so$/m);
    ok("start", "long");
    ok("rm", "-f", "long");
  });

  it("win over the user's own at the same path, with a warning, and stay with --privileged", () => {
    const own = ["-v", `${at("bin")}:/usr/lib/libgpu.so.1`, "--device", "/dev/null:/dev/gpu0", "--privileged"];
    const see = 'cat /usr/lib/libgpu.so.1; stat -c "%t:%T" /dev/gpu0';
    const { out, err } = tare("run", "--rm", ...own, "--device", DEVICE, "busybox", "sh", "-c", see);
    expect(out).toBe("library\n1:7\n");
    expect(err).toBe(
      ["/usr/lib/libgpu.so.1", "/dev/gpu0"]
        .map((path) => `WARNING: \`${path}\` is from the CDI device and not from your own flag for that path\n`)
        .join(""),
    );
  });

  it("are listed with their files and what is wrong, and refused by all their names at once", () => {
    const { out, err } = tare("gpu", "cdi", "ls");
    expect(out).toMatch(/^example\.com\/gpu=0 +.*\/etc\/gpu\.yaml +2 nodes, 2 mounts, 2 variables, 1 hook$/m);
    expect(ok("info", "-f", "{{json .DiscoveredDevices}}")).toBe(`[{"Source":"cdi","ID":"${DEVICE}"}]`);
    expect(err).toBe(`WARNING: ${at("etc/broken.yaml")}: unknown field \`color\`\n`);
    const { code, err: refused } = tare(
      "run",
      "--device",
      "example.com/gpu=1",
      "--device",
      "a.b/c=d",
      "busybox",
      "true",
    );
    expect([code, refused]).toEqual([
      125,
      expect.stringMatching(/unresolvable CDI devices example\.com\/gpu=1, a\.b\/c=d\n/),
    ]);
    expect(refused).toContain("did you mean example.com/gpu=0?");
    fs.copyFileSync(at("etc/gpu.yaml"), at("etc/again.yaml"));
    const conflict = tare("run", "--rm", "--device", DEVICE, "busybox", "true");
    fs.rmSync(at("etc/again.yaml"));
    expect(conflict.err).toContain(`${at("etc/again.yaml")} and ${at("etc/gpu.yaml")}`);
  });

  it("serve build steps that may have them, and stay out of the layer", () => {
    const run = "gpu-tool > /seen; cat /usr/lib/libgpu.so.1 >> /seen; echo x > /dev/gpu0 || echo reached >> /seen";
    const context = world.files("build", {
      Dockerfile: `FROM busybox\nRUN --device=${DEVICE},required ${run}\nRUN --device=slow echo none >> /seen\n`,
      "class/Dockerfile": `FROM busybox\nRUN --device=fast gpu-tool\nRUN --device=slow,required true\n`,
    });
    const build = (...words: readonly string[]): Outcome => tare("build", "--progress", "plain", ...words, context);
    expect(build().err).toContain(`E_ENTITLEMENT]: device ${DEVICE} is requested by the build but not allowed`);
    const built = build("--allow", `device=${DEVICE}`, "-t", "made");
    expect(built.err).toContain("the device slow is not on this host: the step runs without it");
    const see = "cat /seen; find / -xdev -name '*gpu*'";
    expect(ok("run", "--rm", "made", "sh", "-c", see)).toBe("tool\nlibrary\nreached\nnone");
    expect(build("--allow", "device", "-t", "made").err.match(/CACHED/g)).toHaveLength(2);
    // Another specification that gives the class: now the step has a device, and is run again.
    world.files("run", { "slow.json": JSON.stringify(slow()) });
    expect(build("--allow", "device").err.match(/CACHED/g)).toHaveLength(1);
    fs.rmSync(at("run/slow.json"));
    const required = tare("build", "--allow", "device", join(context, "class"));
    expect([required.code, required.err]).toEqual([
      1,
      expect.stringContaining('required device "slow" is not registered'),
    ]);
  });
});

function slow(): object {
  const annotations = { "org.mobyproject.buildkit.device.class": "slow" };
  const device = { name: "x", annotations, containerEdits: { env: ["SLOW=1"] } };
  return { cdiVersion: "0.6.0", kind: "example.org/slow", devices: [device] };
}
