// SPDX-License-Identifier: Apache-2.0
/* Signatures and attestations between Tare and other tools: cosign where it is installed, skopeo where it may sign. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoBusybox } from "../support/bases.ts";
import { addBusyboxImage, openProgramWorld } from "../support/program.ts";
import type { ProgramWorld } from "../support/program.ts";
import { startRegistry, whyNoRegistry } from "../support/registry.ts";
import type { RegistryPeer } from "../support/registry.ts";

interface Ran {
  readonly code: number | null;
  readonly text: string;
}

function ran(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Ran {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8", env: { ...process.env, ...env } });
  return { code: status, text: `${stdout ?? ""}${stderr ?? ""}` };
}

const reason = (process.getuid?.() === 0 ? undefined : "needs root") ?? whyNoBusybox() ?? whyNoRegistry();
const cosign = process.env["TARE_COSIGN"] ?? "cosign";
const noCosign = reason ?? (ran(cosign, ["version"]).code === 0 ? undefined : "cosign is not installed");
const noSkopeo = reason ?? whyNoSkopeo();
for (const [tool, why] of [
  ["cosign", noCosign],
  ["skopeo", noSkopeo],
] as const)
  if (why !== undefined) console.log(`skipped: signatures with ${tool}: ${why}`);

/** Debian builds its containers/image without sigstore, and the program says so only when it has to sign. */
function whyNoSkopeo(): string | undefined {
  const program = ran("sh", ["-c", "command -v skopeo"]).text.trim();
  if (program === "") return "skopeo is not installed";
  const isWithout = fs.readFileSync(program).includes("Debian-local change: sigstore disabled");
  return isWithout ? "skopeo is built without sigstore" : undefined;
}

const PASSWORD = { COSIGN_PASSWORD: "pw" };

describe.skipIf(noCosign !== undefined && noSkopeo !== undefined)("signatures", () => {
  let world: ProgramWorld;
  let registry: RegistryPeer;
  let image = "";
  const file = (name: string): string => join(world.folder, name);
  const tare = (...args: readonly string[]): Ran => {
    const { code, out, err } = world.tare(args, { env: PASSWORD });
    return { code, text: out + err };
  };

  beforeAll(async () => {
    world = openProgramWorld("signatures");
    addBusyboxImage(world);
    registry = await startRegistry(file("registry"));
    image = `${registry.host}/team/app:1`;
    world.ok("tag", "busybox", image);
    for (const name of ["own", "other"]) tare("key", "generate", "-o", name);
    const sign = ["--sign-by-sigstore-private-key", file("own.key")];
    expect(tare("push", "--progress", "quiet", "--sbom", ...sign, image).text).toContain("digest:");
    fs.writeFileSync(file("root.json"), '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}');
  });
  afterAll(async () => {
    await registry.stop();
    world.close();
  });

  describe.skipIf(noCosign !== undefined)("and cosign", () => {
    const insecure = ["--allow-insecure-registry", "--allow-http-registry"];
    const bundle = (): readonly string[] => ["--new-bundle-format", "--trusted-root", file("root.json")];
    const verify = (key: string, ...more: readonly string[]): number | null =>
      ran(cosign, ["verify", "--key", file(key), "--insecure-ignore-tlog=true", ...insecure, ...more, image]).code;

    it("agree on Tare's signatures, of both formats", () => {
      expect([verify("own.pub"), verify("own.pub", ...bundle())]).toEqual([0, 0]);
      expect([verify("other.pub"), verify("other.pub", ...bundle())]).not.toContain(0);
    });

    it("agree on Tare's attestations", () => {
      const how = ["--type", "spdxjson", "--insecure-ignore-tlog=true", ...insecure, ...bundle()];
      const attestation = (key: string): number | null =>
        ran(cosign, ["verify-attestation", "--key", file(key), ...how, image]).code;
      expect(attestation("own.pub")).toBe(0);
      expect(attestation("other.pub")).not.toBe(0);
    });

    it.each([
      ["older", () => []],
      ["newer", bundle],
    ])("agree on cosign's signatures and attestations in the %s format", (name, flags) => {
      const prefix = file(`cosign-${name}`);
      expect(ran(cosign, ["generate-key-pair", "--output-key-prefix", prefix], PASSWORD).code).toBe(0);
      const how = ["--yes", "--tlog-upload=false", "--key", `${prefix}.key`, ...insecure, ...flags()];
      expect(ran(cosign, ["sign", ...how, image], PASSWORD)).toMatchObject({ code: 0 });
      fs.writeFileSync(file("predicate.json"), '{"a":1}');
      const about = ["--type", "openvex", "--predicate", file("predicate.json")];
      expect(ran(cosign, ["attest", ...how, ...about, image], PASSWORD)).toMatchObject({ code: 0 });
      expect(tare("verify", "--key", `${prefix}.pub`, image)).toMatchObject({ code: 0 });
      expect(tare("verify", "--key", `${prefix}.pub`, "--type", "openvex", image)).toMatchObject({ code: 0 });
      expect(tare("verify", "--key", file("other.pub"), image).text).toMatch(/error\[E_SIGNATURE\]/);
      expect(tare("sign", "--key", `${prefix}.key`, image)).toMatchObject({ code: 0 });
    });
  });

  describe.skipIf(noSkopeo !== undefined)("and skopeo", () => {
    const skopeo = (...args: readonly string[]): Ran =>
      ran("skopeo", ["--registries.d", file("registries.d"), ...args]);

    beforeAll(() => {
      fs.mkdirSync(file("registries.d"));
      const text = `docker:\n  ${registry.host}:\n    use-sigstore-attachments: true\n`;
      fs.writeFileSync(file("registries.d/all.yaml"), text);
      fs.writeFileSync(file("passphrase"), "pw");
    });

    it("agree on Tare's signatures under a policy", () => {
      const copy = (key: string): Ran => {
        const policy = { default: [{ type: "sigstoreSigned", keyPath: file(key) }] };
        fs.writeFileSync(file("policy.json"), JSON.stringify(policy));
        const to = fs.mkdtempSync(file("out-"));
        return skopeo(
          "--policy",
          file("policy.json"),
          "copy",
          "--src-tls-verify=false",
          `docker://${image}`,
          `dir:${to}`,
        );
      };
      expect(copy("own.pub")).toMatchObject({ code: 0 });
      expect(copy("other.pub").code).not.toBe(0);
    });

    it("agree on skopeo's signatures", () => {
      const signed = `${registry.host}/team/skopeo:1`;
      const key = ["--sign-by-sigstore-private-key", file("own.key"), "--sign-passphrase-file", file("passphrase")];
      const open = ["--src-tls-verify=false", "--dest-tls-verify=false"];
      const done = skopeo("--insecure-policy", "copy", ...open, ...key, `docker://${image}`, `docker://${signed}`);
      expect(done).toMatchObject({ code: 0 });
      expect(tare("verify", "--key", file("own.pub"), signed)).toMatchObject({ code: 0 });
      expect(tare("verify", "--key", file("other.pub"), signed).text).toMatch(/error\[E_SIGNATURE\]/);
    });
  });
});
