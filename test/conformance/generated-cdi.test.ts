// SPDX-License-Identifier: Apache-2.0
// Specifications generated from fake driver roots: by the standard's own JSON schema, and as podman takes them.
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv } from "ajv";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { discoverGpus, generateSpecs, specText } from "../../src/gpu/index.ts";
import type { CdiEdits, CdiSpec } from "../../src/gpu/index.ts";
import { fakeAmdRoot, fakeIntelRoot, fakeNvidiaRoot, fakeWslRoot } from "../support/fake-driver-root.ts";
import { hasPrograms, runProgram } from "../support/peer-program.ts";
import { conformanceFolder } from "./table-data.ts";

const HOSTS: Readonly<Record<string, (root: string) => void>> = {
  nvidia: (root) => fakeNvidiaRoot(root),
  mig: (root) => fakeNvidiaRoot(root, { gpus: [{ bus: "0000:07:00.0", minor: 1, mig: { 1: [0], 2: [0] } }] }),
  unmade: (root) => fakeNvidiaRoot(root, { nodes: "files" }),
  wsl: fakeWslRoot,
  amd: (root) => fakeAmdRoot(root),
  intel: (root) => fakeIntelRoot(root),
};

const reason = process.getuid?.() === 0 ? undefined : "device nodes are made by root alone";
const folder = fs.mkdtempSync(join(tmpdir(), "tare-generated-"));
const specs = new Map<string, CdiSpec>();

beforeAll(() => {
  for (const [name, make] of Object.entries(HOSTS)) {
    const place = { driverRoot: join(folder, name), devRoot: join(folder, name) };
    make(place.driverRoot);
    for (const spec of generateSpecs(discoverGpus(place), { ...place, isPortable: true }).specs) specs.set(name, spec);
  }
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

const schemas = join(conformanceFolder(), "cdi");
const noSchemas = fs.existsSync(schemas) ? reason : `${schemas} is absent`;
if (noSchemas !== undefined) console.log(`skipped: JSON schema of CDI: ${noSchemas}`);

describe.skipIf(noSchemas !== undefined)("the JSON schema of CDI", () => {
  it.each(Object.keys(HOSTS))("holds for a specification of %s", (name) => {
    const ajv = new Ajv({ strict: false, validateFormats: false });
    const read = (file: string): object => JSON.parse(fs.readFileSync(join(schemas, file), "utf8")) as object;
    ajv.addSchema(read("defs.json"), "defs.json");
    const validate = ajv.compile(read("schema.json"));
    expect(validate({ cdiVersion: "0.5.0" })).toBe(false);
    expect([validate(specs.get(name)), ajv.errorsText(validate.errors)]).toEqual([true, "No errors"]);
  });
});

interface Configuration {
  readonly process: { readonly env: readonly string[] };
  readonly mounts: readonly { readonly destination: string; readonly type?: string; readonly source: string }[];
  readonly linux: {
    readonly devices: readonly { readonly path: string; readonly major: number; readonly minor: number }[];
  };
}

/** A runtime that keeps the configuration of a container and makes none. */
const CAPTURE = `#!/bin/sh
case " $* " in *" create "*) ;; *) exec runc "$@" ;; esac
while [ $# -gt 0 ]; do [ "$1" = --bundle ] && bundle=$2; shift; done
cp "$bundle/config.json" "$(dirname "$0")/config.json"
exit 1
`;

/** What podman would start with a device: in a mount namespace whose /run has the specification. */
function podmanConfiguration(spec: string, device: string): Configuration {
  const place = fs.mkdtempSync(join(folder, "podman-"));
  fs.mkdirSync(join(place, "rootfs"));
  fs.writeFileSync(join(place, "capture"), CAPTURE, { mode: 0o755 });
  fs.writeFileSync(join(place, "spec.yaml"), spec);
  const storage = `--root ${place}/root --runroot ${place}/run --cgroup-manager=cgroupfs --runtime ${place}/capture`;
  const script = [
    "mount -t tmpfs tmpfs /run && mkdir /run/cdi",
    `cp ${place}/spec.yaml /run/cdi/made.yaml`,
    `(podman ${storage} run --rm --network none --device ${device} --rootfs ${place}/rootfs true || true)`,
    `cat ${place}/config.json`,
  ];
  const out = runProgram("unshare", ["--mount", "--propagation", "private", "sh", "-c", script.join(" && ")]);
  return JSON.parse(out.slice(out.indexOf("{"))) as Configuration;
}

describe.skipIf(!hasPrograms(reason, "podman", "runc"))("podman", () => {
  it.each([
    ["nvidia", "all"],
    ["mig", "0:1"],
    ["amd", "0"],
  ])("gives a container what the specification of %s has for `%s`", async (name, device) => {
    const spec = specs.get(name);
    if (spec === undefined) throw new Error(`no specification of ${name}`);
    const config = podmanConfiguration(await specText(spec, "yaml"), `${spec.kind}=${device}`);
    const own = spec.devices.find((one) => one.name === device)?.containerEdits ?? {};
    const both: readonly CdiEdits[] = [spec.containerEdits ?? {}, own];
    const nodes = both.flatMap(({ deviceNodes }) => deviceNodes ?? []);
    const numbers = config.linux.devices.map(({ path, major, minor }) => ({ path, major, minor }));
    for (const { path, hostPath = path } of nodes) {
      const { rdev } = fs.lstatSync(hostPath);
      expect(numbers).toContainEqual({
        path,
        major: (rdev >> 8) & 0xfff,
        minor: (rdev & 0xff) | ((rdev >> 12) & ~0xff),
      });
    }
    for (const { hostPath: source, containerPath: destination } of both.flatMap(({ mounts }) => mounts ?? []))
      expect(config.mounts).toContainEqual(expect.objectContaining({ destination, source }));
    expect(config.process.env).toEqual(expect.arrayContaining(both.flatMap(({ env }) => [...(env ?? [])])));
  });
});
