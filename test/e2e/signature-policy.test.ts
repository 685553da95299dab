// SPDX-License-Identifier: Apache-2.0
/* policy.json decides what comes from a registry: by pull, run, FROM, COPY --from and copy alike. */
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { whyNoBusybox } from "../support/bases.ts";
import { addBusyboxImage, openProgramWorld } from "../support/program.ts";
import type { Outcome, ProgramWorld } from "../support/program.ts";
import { startRegistry, whyNoRegistry } from "../support/registry.ts";
import type { RegistryPeer } from "../support/registry.ts";

const reason = (process.getuid?.() === 0 ? undefined : "needs root") ?? whyNoBusybox() ?? whyNoRegistry();
if (reason !== undefined) console.log(`skipped: signature policies: ${reason}`);

describe.skipIf(reason !== undefined)("the signature policy", () => {
  let world: ProgramWorld;
  let registry: RegistryPeer;
  let signed = "";
  let unsigned = "";
  let policy = "";
  let home = "";

  const write = (path: string, requirements: readonly object[]): void => {
    const transports = { docker: { [registry.host]: requirements } };
    fs.writeFileSync(path, JSON.stringify({ default: [{ type: "insecureAcceptAnything" }], transports }));
  };
  const byKey = (): readonly object[] => [{ type: "sigstoreSigned", keyPath: join(world.folder, "own.pub") }];

  beforeAll(async () => {
    world = openProgramWorld("policy");
    addBusyboxImage(world);
    registry = await startRegistry(join(world.folder, "registry"));
    [signed, unsigned] = [`${registry.host}/team/signed:1`, `${registry.host}/team/unsigned:1`];
    const env = { COSIGN_PASSWORD: "" };
    const run = (...args: readonly string[]): void => {
      const { code, err } = world.tare(args, { env });
      if (code !== 0) throw new Error(err);
    };
    run("key", "generate", "-o", "own");
    run("key", "generate", "-o", "other");
    for (const name of [signed, unsigned]) run("tag", "busybox", name);
    run("push", "--progress", "quiet", unsigned);
    // Of its own content, since a signature is of a digest and not of a name.
    const context = world.files("context", { Dockerfile: "FROM busybox\nCOPY a /a\n", a: "signed" });
    run("build", "--progress", "quiet", "-t", signed, context);
    run("push", "--progress", "quiet", "--sign-by-sigstore-private-key", join(world.folder, "own.key"), signed);
    policy = join(world.folder, "policy.json");
    home = join(world.folder, "home");
    fs.mkdirSync(join(home, "containers"), { recursive: true });
  });
  afterAll(async () => {
    await registry.stop();
    world.close();
  });
  beforeEach(() => {
    for (const name of [signed, unsigned]) world.tare(["rmi", "-f", name]);
    write(policy, byKey());
  });

  const ways = (image: string): Readonly<Record<string, () => Outcome>> => {
    const context = (name: string, text: string): string => world.files(name, { Dockerfile: text });
    const tare = (...args: readonly string[]): Outcome => world.tare(["--signature-policy", policy, ...args]);
    return {
      pull: () => tare("pull", "--progress", "quiet", image),
      run: () => tare("run", "--rm", image, "true"),
      "build FROM": () => tare("build", "--progress", "quiet", context("from", `FROM ${image}\n`)),
      "COPY --from": () =>
        tare("build", "--progress", "quiet", context("copy", `FROM scratch\nCOPY --from=${image} /bin/busybox /b\n`)),
      "build --push": () =>
        tare(
          "build",
          "--progress",
          "quiet",
          "--push",
          "-t",
          `${registry.host}/team/out`,
          context("push", `FROM ${image}\n`),
        ),
      copy: () => tare("copy", "--progress", "quiet", image, `oci:${join(world.folder, `out-${Math.random()}`)}:1`),
      "copy to the store": () => tare("copy", "--progress", "quiet", image, "store:copied"),
    };
  };

  it.each(Object.keys(ways("x")))("lets in what is signed, and nothing else: %s", (way) => {
    const refused = ways(unsigned)[way]?.();
    expect([refused?.code, refused?.err]).toEqual([
      expect.any(Number) as number,
      expect.stringMatching(
        /error\[E_POLICY_REFUSED\]: letting in `.*unsigned:1`: it has no signature \(rule for [^]*\nhint: /,
      ) as string,
    ]);
    expect(refused?.code).not.toBe(0);
    const done = ways(signed)[way]?.();
    expect([done?.code, done?.code === 0 ? "" : done?.err]).toEqual([0, ""]);
  });

  it("takes an image of another key for unsigned", () => {
    write(policy, [{ type: "sigstoreSigned", keyPath: join(world.folder, "other.pub") }]);
    expect(ways(signed)["pull"]?.().err).toMatch(/E_POLICY_REFUSED.*no signature counts: none of the keys made it/);
  });

  it("is the user's file where there is one, and the flag before it", () => {
    const env = { XDG_CONFIG_HOME: home };
    write(join(home, "containers/policy.json"), [{ type: "reject" }]);
    const pull = (...flags: readonly string[]): Outcome =>
      world.tare([...flags, "pull", "--progress", "quiet", signed], { env });
    expect(pull().err).toMatch(/E_POLICY_REFUSED.*images from there are rejected/);
    expect(pull("--signature-policy", policy).code).toBe(0);
    fs.writeFileSync(join(home, "containers/policy.json"), "{}");
    expect(pull().err).toMatch(
      /error\[E_POLICY\]: reading the signature policy `.*policy\.json`: default: expected a list/,
    );
    expect(pull("--signature-policy", "/nowhere/policy.json").err).toMatch(/error\[E_POLICY\].*ENOENT/);
    fs.rmSync(join(home, "containers/policy.json"));
  });

  it("asks nobody about what is here already", () => {
    world.ok("pull", "--progress", "quiet", unsigned);
    expect(ways(unsigned)["run"]?.().code).toBe(0);
  });
});
