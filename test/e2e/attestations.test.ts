// SPDX-License-Identifier: Apache-2.0
/* Documents about images beside them at a real registry, which has no referrers API (distribution 2.8). */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoBusybox } from "../support/bases.ts";
import { addBusyboxImage, openProgramWorld } from "../support/program.ts";
import type { ProgramWorld } from "../support/program.ts";
import { startRegistry, whyNoRegistry } from "../support/registry.ts";
import type { RegistryPeer } from "../support/registry.ts";

const reason = (process.getuid?.() === 0 ? undefined : "needs root") ?? whyNoBusybox() ?? whyNoRegistry();
if (reason !== undefined) console.log(`skipped: documents beside images: ${reason}`);

interface Listed {
  readonly manifests: readonly { readonly digest: string; readonly artifactType: string }[];
}
interface Pushed {
  readonly digest: string;
  readonly attached: readonly { readonly predicateType: string; readonly digest: string; readonly subject: string }[];
}

describe.skipIf(reason !== undefined)("documents beside images", () => {
  let world: ProgramWorld;
  let registry: RegistryPeer;
  let context = "";
  let image = "";

  beforeAll(async () => {
    world = openProgramWorld("attest");
    addBusyboxImage(world);
    registry = await startRegistry(join(world.folder, "registry"));
    image = `${registry.host}/team/app:1`;
    context = world.files("context", {
      Dockerfile: "FROM busybox\nARG MY_TOKEN\nARG MODE\nCOPY a /a\nRUN echo $MODE > /m\n",
      a: "one",
    });
  });
  afterAll(async () => {
    await registry.stop();
    world.close();
  });

  const get = async <T>(path: string): Promise<T> => {
    const accept = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json";
    const answer = await fetch(`http://${registry.host}/v2/team/app/${path}`, { headers: { accept } });
    expect(answer.status).toBe(200);
    return (await answer.json()) as T;
  };

  const statementOf = async (digest: string): Promise<Readonly<Record<string, unknown>>> => {
    const { layers } = await get<{ readonly layers: readonly { readonly digest: string }[] }>(`manifests/${digest}`);
    return get(`blobs/${layers[0]?.digest ?? ""}`);
  };

  it("are attached by build --push, and once", async () => {
    const args = ["--sbom", "--provenance=mode=max", "--build-arg", "MY_TOKEN=hunter2", "--build-arg", "MODE=fast"];
    const build = (): void => void world.ok("build", "--progress", "quiet", "--push", "-t", image, ...args, context);
    build();
    const pushed = JSON.parse(
      world.ok("push", "--progress", "quiet", "--json", "--sbom", "--provenance=max", image),
    ) as readonly Pushed[];
    const [{ digest = "", attached = [] } = {}] = pushed;
    expect(attached.map(({ predicateType, subject }) => [predicateType, subject])).toEqual([
      ["https://spdx.dev/Document", digest],
      ["https://slsa.dev/provenance/v1", digest],
    ]);
    const { manifests } = await get<Listed>(`manifests/${digest.replace(":", "-")}`);
    expect(manifests.map((each) => [each.digest, each.artifactType])).toEqual(
      attached.map((each) => [each.digest, "application/vnd.in-toto+json"]),
    );
    const [sbom, provenance] = await Promise.all(attached.map((each) => statementOf(each.digest)));
    expect(sbom).toMatchObject({
      _type: "https://in-toto.io/Statement/v1",
      subject: [{ name: `${registry.host}/team/app`, digest: { sha256: digest.slice(7) } }],
      predicate: { spdxVersion: "SPDX-2.3" },
    });
    expect(provenance).toMatchObject({
      predicate: {
        buildDefinition: {
          externalParameters: { request: { args: { "build-arg:MODE": "fast", "build-arg:MY_TOKEN": "<left out>" } } },
          resolvedDependencies: [
            { uri: expect.stringMatching(/^pkg:docker\/docker.io\/library\/busybox@latest\?digest=/) as string },
            { uri: "urn:tare:context:context", digest: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string } },
          ],
        },
      },
    });
    expect(JSON.stringify([sbom, provenance])).not.toContain("hunter2");
  });

  it("change with the context", () => {
    const contextOf = (): unknown => {
      world.ok("build", "--progress", "quiet", "--provenance", "--push", "-t", image, context);
      return JSON.parse(world.ok("push", "--progress", "quiet", "--json", "--provenance", image));
    };
    const before = contextOf();
    expect(contextOf()).toEqual(before);
    world.files("context", { b: "two" });
    expect(contextOf()).not.toEqual(before);
  });

  it("and the image are signed by the key of the push, and verified", () => {
    const key = (name: string): string => {
      world.tare(["key", "generate", "-o", name], { env: { COSIGN_PASSWORD: "secret" } });
      return join(world.folder, `${name}.pub`);
    };
    const [own, other] = [key("own"), key("other")];
    const unsigned = world.tare(["verify", "--key", own, image]);
    expect([unsigned.code, unsigned.err]).toEqual([1, expect.stringMatching(/error\[E_UNSIGNED\]/) as string]);
    const sign = ["--sign-by-sigstore-private-key", join(world.folder, "own.key")];
    const push = (password: string): ReturnType<ProgramWorld["tare"]> =>
      world.tare(["push", "--progress", "quiet", "--sbom", ...sign, image], { env: { COSIGN_PASSWORD: password } });
    expect(push("wrong").err).toMatch(/error\[E_KEY\]: opening the signing key: the passphrase is wrong/);
    expect(push("secret").code).toBe(0);
    expect(world.ok("verify", "--key", own, image)).toMatch(
      /^Verified sha256:[0-9a-f]{64}\n {2}bundle of.*\n {2}simple of/,
    );
    const found = JSON.parse(world.ok("verify", "--key", other, "--key", own, "--type", "spdx", "--json", image)) as {
      readonly signatures: readonly { readonly predicate: unknown }[];
    };
    expect(found.signatures).toMatchObject([{ predicate: { spdxVersion: "SPDX-2.3" } }]);
    const stranger = world.tare(["verify", "--key", other, image]);
    expect([stranger.code, stranger.err]).toEqual([
      1,
      expect.stringMatching(/error\[E_SIGNATURE\].*none of the keys/) as string,
    ]);
    expect(world.tare(["verify", "--key", own, "--type", "slsaprovenance", image]).err).toMatch(/error\[E_UNSIGNED\]/);
    expect(world.tare(["verify", image]).err).toMatch(/error\[E_USAGE\]: nobody is named/);
    const signed = world.tare(["sign", "--key", join(world.folder, "other.key"), image], {
      env: { COSIGN_PASSWORD: "secret" },
    });
    expect([signed.code, signed.out]).toEqual([0, expect.stringMatching(/^sha256:.*: bundle sha256:/) as string]);
    expect(world.ok("verify", "--key", other, image)).toMatch(/^Verified/);
  });

  it("are of each platform of an index, and all of it is signed", async () => {
    const name = `${registry.host}/team/app:multi`;
    const folder = world.files("multi", { Dockerfile: "FROM scratch\nCOPY a /a\n", a: "one" });
    const [pub, key] = [join(world.folder, "own.pub"), join(world.folder, "own.key")];
    const args = [
      "--platform",
      "linux/amd64,linux/arm64",
      "--sbom",
      "--provenance",
      "--sign-by-sigstore-private-key",
      key,
    ];
    const built = world.tare(["build", "--progress", "quiet", "--push", "-t", name, ...args, folder], {
      env: { COSIGN_PASSWORD: "secret" },
    });
    expect([built.code, built.err]).toEqual([0, ""]);
    const index = await get<Listed>("manifests/multi");
    for (const { digest } of index.manifests) {
      const image = `${registry.host}/team/app@${digest}`;
      expect(world.tare(["verify", "--key", pub, image])).toMatchObject({ code: 0 });
      for (const type of ["spdx", "slsaprovenance"]) {
        expect(world.tare(["verify", "--key", pub, "--type", type, image])).toMatchObject({ code: 0 });
      }
    }
    expect(world.tare(["verify", "--key", pub, name])).toMatchObject({ code: 0 });
    expect(world.tare(["verify", "--key", pub, "--type", "spdx", name]).err).toMatch(/error\[E_UNSIGNED\]/);
  });

  it("are refused where they can't be had, before anything is sent", async () => {
    const unpushed = world.tare(["build", "--progress", "quiet", "--sbom", context]);
    expect([unpushed.code, unpushed.err]).toEqual([
      1,
      expect.stringMatching(/error\[E_USAGE\]: .*not pushed/) as string,
    ]);
    world.ok("tag", "busybox", `${registry.host}/team/other`);
    const unknown = world.tare(["push", "--progress", "quiet", "--provenance", `${registry.host}/team/other`]);
    expect(unknown.code).toBe(1);
    expect(unknown.err).toMatch(/error\[E_PROVENANCE\]: telling how `.*` was built: .*\nhint: build it with/);
    expect((await fetch(`http://${registry.host}/v2/team/other/tags/list`)).status).toBe(404);
  });
});
