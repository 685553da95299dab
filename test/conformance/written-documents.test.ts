// SPDX-License-Identifier: Apache-2.0
/* What a build writes, by the JSON schemas of the image and runtime specifications: bundles of RUN steps while they run. */
import * as fs from "node:fs";
import { join } from "node:path";
import Ajv04 from "ajv-draft-04";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runBuild } from "../../src/build/index.ts";
import { fillBusybox, whyNoBusybox } from "../support/bases.ts";
import { addImage, buildRequest, openBuildWorld } from "../support/builds.ts";
import type { BuildWorld } from "../support/builds.ts";
import { conformanceFolder } from "./table-data.ts";

const schemas = join(conformanceFolder(), "image-spec");
const reason = fs.existsSync(schemas) ? whyNoBusybox() : `${schemas} is absent`;
if (reason !== undefined) console.log(`skipped: schemas of written documents: ${reason}`);

const DOCKERFILE = `FROM busybox
ARG A=1
ENV B="two words"
USER daemon:www-data
WORKDIR /work
HEALTHCHECK --interval=10s CMD true
EXPOSE 80/tcp 53/udp
VOLUME /data
STOPSIGNAL SIGINT
LABEL a=b
RUN --mount=type=cache,target=/c,uid=1 --mount=type=tmpfs,target=/t,size=1m --mount=type=secret,id=s,env=S,target=/s \\
    --mount=type=bind,target=/src echo running && sleep 1
RUN --network=none echo running && sleep 1
ENTRYPOINT ["a"]
CMD ["b"]
`;

let world: BuildWorld;
const bundles: string[] = [];
const documents = new Map<string, unknown>();

/** Every config.json below the folder of running steps. */
function findBundles(folder: string): readonly string[] {
  const names = fs.readdirSync(folder, { recursive: true, encoding: "utf8" });
  return names
    .filter((name) => /(^|\/)config\.json$/.test(name) && !name.includes("rootfs"))
    .map((name) => join(folder, name));
}

/** A validator of one folder's schemas; those that the folder lacks allow nothing. */
function schemaOf(folder: string, name: string): (document: unknown) => string {
  const ajv = new Ajv04.default({ strict: false, validateFormats: false });
  const files = fs.readdirSync(folder).filter((file) => file.endsWith(".json") && file !== "cases.json");
  for (const file of files) {
    // Their ids are addresses; without them references go by file name.
    const text = fs.readFileSync(join(folder, file), "utf8").replace(/"id": "https:[^"]*",/g, "");
    ajv.addSchema(JSON.parse(text) as object, file);
  }
  for (const system of ["windows", "solaris", "vm", "zos", "freebsd"]) {
    if (!files.includes(`config-${system}.json`)) ajv.addSchema({ [system]: { not: {} } }, `config-${system}.json`);
  }
  const validate = ajv.getSchema(name);
  return (document) => (validate?.(document) ? "" : ajv.errorsText(validate?.errors));
}

async function buildAll(): Promise<void> {
  world = openBuildWorld("documents");
  await addImage(world.store, ["docker.io/library/busybox:latest"], fillBusybox, { Env: ["PATH=/bin"] });
  const context = join(world.folder, "context");
  fs.mkdirSync(context);
  fs.writeFileSync(join(context, "Dockerfile"), DOCKERFILE);
  fs.writeFileSync(join(context, "secret"), "s3cret");
  const runRoot = join(world.folder, "run");
  const args = [
    "--secret",
    "id=s,src=secret",
    "--output",
    `type=oci,dest=${world.folder}/out,tar=false`,
    "--ulimit",
    "nofile=100",
    ".",
  ];
  const request = buildRequest(args, {
    cwd: context,
    annotations: { "org.example.note": "x" },
    listener: (event) => {
      if (event.kind !== "log") return;
      for (const path of findBundles(runRoot)) bundles.push(fs.readFileSync(path, "utf8"));
    },
  });
  await runBuild(
    { store: world.store, runRoot, env: {}, wheels: () => Promise.reject(new Error("no wheels")) },
    request,
  );
  const read = (path: string): unknown => JSON.parse(fs.readFileSync(join(world.folder, "out", path), "utf8"));
  const index = read("index.json") as { readonly manifests: readonly { readonly digest: string }[] };
  const manifest = read(`blobs/sha256/${index.manifests[0]?.digest.slice(7) ?? ""}`) as {
    readonly config: { readonly digest: string };
  };
  documents.set("image-layout-schema.json", read("oci-layout")).set("image-index-schema.json", index);
  documents.set("image-manifest-schema.json", manifest);
  documents.set("config-schema.json", read(`blobs/sha256/${manifest.config.digest.slice(7)}`));
}

describe.skipIf(reason !== undefined)("documents that a build writes", () => {
  beforeAll(buildAll);
  afterAll(() => world.close());

  it.each(["image-layout-schema.json", "image-index-schema.json", "image-manifest-schema.json", "config-schema.json"])(
    "%s accepts ours",
    (name) => {
      expect(schemaOf(schemas, name)(documents.get(name))).toBe("");
    },
  );

  it("bundles of RUN steps are valid", () => {
    expect(bundles.length).toBeGreaterThanOrEqual(2);
    const validate = schemaOf(join(conformanceFolder(), "runtime-spec"), "config-schema.json");
    for (const bundle of bundles) expect(validate(JSON.parse(bundle))).toBe("");
  });
});
