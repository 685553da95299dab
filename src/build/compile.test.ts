// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { TareError, digestOf } from "../base/index.ts";
import { parseDockerfile } from "../dockerfile/index.ts";
import { GraphBuilder, reachable } from "../graph/index.ts";
import type { Op, Vertex } from "../graph/index.ts";
import type { ImageConfig } from "../oci/index.ts";
import { compile } from "./compile.ts";
import type { CompileOptions, CompiledStage, SourceResolver } from "./types.ts";

const amd64 = { os: "linux", architecture: "amd64" };

const OPTIONS: CompileOptions = {
  buildArgs: {},
  labels: {},
  platform: amd64,
  buildPlatform: amd64,
  isPlatformExplicit: false,
  isMultiPlatform: false,
  noCache: false,
  noCacheFilter: [],
  network: "default",
  extraHosts: [],
  ulimits: [],
  epoch: 981_173_106,
};

const PYTHON: ImageConfig = {
  ...amd64,
  config: { Env: ["PATH=/usr/bin", "LANG=C"], Cmd: ["python3"], WorkingDir: "/srv", OnBuild: ["RUN onbuild"] },
  rootfs: { type: "layers", diff_ids: [] },
};

const resolver: SourceResolver = {
  image: async (reference) => {
    if (reference === "nosuch") throw new TareError("E_IMAGE_NOTFOUND", `${reference}: not found`);
    const config = reference === "python" ? PYTHON : { ...PYTHON, config: { Env: ["PATH=/bin"] } };
    return {
      name: reference,
      manifest: digestOf(reference),
      target: digestOf(reference),
      id: digestOf(`config of ${reference}`),
      config,
    };
  },
  namedContext: async (name) => (name === "given" ? { kind: "local", name: "named:given" } : undefined),
};

interface Compiled {
  readonly stage: CompiledStage;
  readonly steps: readonly Vertex[];
}

async function build(text: string, options: Partial<CompileOptions> = {}): Promise<Compiled> {
  const graph = new GraphBuilder();
  const stage = await compile({
    dockerfile: parseDockerfile(text),
    options: { ...OPTIONS, ...options },
    resolver,
    graph,
  });
  return { stage, steps: reachable(graph.build(), [stage.vertex]) };
}

function ops<Type extends Op["type"]>({ steps }: Compiled, type: Type): readonly Extract<Op, { type: Type }>[] {
  return steps.map(({ op }) => op).filter((op): op is Extract<Op, { type: Type }> => op.type === type);
}

const labels = ({ steps }: Compiled): readonly string[] =>
  steps.filter(({ op }) => op.type !== "scratch" && op.type !== "local").map(({ label }) => label);

describe("compiling a Dockerfile", () => {
  it("labels steps by stage and number, with variables shown", async () => {
    const text =
      "FROM python-like AS one\nARG X=1\nRUN echo $X ${NOPE}\nFROM busybox\nCOPY --from=one /a /b\nWORKDIR /w";
    expect(labels(await build(text))).toEqual([
      "[stage-1 1/3] FROM busybox",
      "[one 1/2] FROM python-like",
      "[one 2/2] RUN echo 1 ${NOPE}",
      "[stage-1 2/3] COPY --from=one /a /b",
      "[stage-1 3/3] WORKDIR /w",
    ]);
  });

  it("leaves out stages that the target does not need", async () => {
    const compiled = await build("FROM nosuch AS broken\nRUN x\nFROM busybox AS good\nRUN y\nFROM broken", {
      target: "good",
    });
    expect(ops(compiled, "run").map(({ args }) => args.at(-1))).toEqual(["y"]);
  });

  it("takes config, environment and triggers of the base", async () => {
    const compiled = await build("FROM python\nENV A=1 LANG=de\nRUN own");
    const [trigger, own] = ops(compiled, "run");
    expect([trigger?.args.at(-1), own?.args.at(-1), own?.cwd]).toEqual(["onbuild", "own", "/srv"]);
    expect(own?.env).toEqual(["PATH=/usr/bin", "LANG=de", "A=1"]);
    expect(compiled.stage.config).toMatchObject({ Cmd: ["python3"], Env: ["PATH=/usr/bin", "LANG=de", "A=1"] });
    expect(compiled.stage.config.OnBuild).toBeUndefined();
  });

  it.each([
    ["ARG A=1\nFROM busybox\nRUN x", {}, undefined],
    ["ARG A=1\nFROM busybox\nARG A\nRUN x", {}, "1"],
    ["FROM busybox\nARG A=2\nRUN x", {}, "2"],
    ["FROM busybox\nARG A=2\nRUN x", { A: "3" }, "3"],
    ["FROM busybox\nARG A\nENV A=4\nRUN x", { A: "3" }, "4"],
    ["FROM busybox\nENV A=4\nARG A=5\nRUN x", {}, "5"],
    ["FROM busybox AS b\nARG A=6\nFROM b\nRUN x", {}, "6"],
    ["FROM busybox AS b\nARG A=6\nENV A=7\nFROM b\nRUN x", {}, "7"],
    ["FROM busybox AS b\nARG A=6\nFROM busybox\nCOPY --from=b / /\nRUN x", {}, undefined],
    ["FROM busybox\nRUN x", { A: "3" }, undefined],
    ["FROM busybox\nARG B=$A A=8\nARG A=9\nRUN x", {}, "9"],
  ])("%j with %j: A is %j in RUN", async (text, buildArgs, wanted) => {
    const [run] = ops(await build(text, { buildArgs }), "run");
    expect(run?.env.find((entry) => entry.startsWith("A="))).toBe(wanted === undefined ? undefined : `A=${wanted}`);
  });

  it("gives proxies to RUN without an ARG, and keeps them out of the history", async () => {
    const compiled = await build("FROM busybox\nRUN x", { buildArgs: { http_proxy: "http://p" } });
    expect(ops(compiled, "run")[0]?.env).toEqual(["PATH=/bin", "HTTP_PROXY=http://p", "http_proxy=http://p"]);
    expect(JSON.stringify(compiled.stage.history)).not.toContain("http://p");
  });

  it.each([
    ["WORKDIR /a/", "/a/", "/a"],
    ["WORKDIR a/../b/", "/srv/b", "/srv/b"],
    ["WORKDIR /x\nWORKDIR y", "/x/y", "/x/y"],
    ["ENV D=d\nWORKDIR /$D", "/d", "/d"],
  ])("%j is %s in the config and %s for RUN", async (text, config, cwd) => {
    const compiled = await build(`FROM python\n${text}\nRUN x`);
    expect([compiled.stage.config.WorkingDir, ops(compiled, "run").at(-1)?.cwd]).toEqual([config, cwd]);
  });

  it("names caches by id, target, owner and mode", async () => {
    const mounts = [
      "id=i,target=/a",
      "target=b",
      "target=/c/,uid=1",
      "target=/d,mode=0700",
      "target=/e,uid=1,from=busybox,source=/s",
    ];
    const flags = mounts.map((mount) => `--mount=type=cache,${mount}`).join(" ");
    const [run] = ops(await build(`FROM busybox\nWORKDIR /w\nRUN ${flags} x`), "run");
    const ids = run?.mounts.map((mount) => (mount.type === "cache" ? mount.id : ""));
    expect(ids).toEqual(["i", "b", "/c/ (1:0 755)", "/d (0:0 700)", "/e"]);
  });

  it("makes one step of an ADD with sources of all kinds", async () => {
    const compiled = await build("FROM busybox\nADD a.tar http://h/f git@h:o/r.git /x/");
    const [add] = ops(compiled, "copy");
    expect(add?.sources.map((source) => ("unpack" in source ? source.unpack : false))).toEqual([true, false, false]);
    expect([ops(compiled, "http").length, ops(compiled, "git").length, ops(compiled, "copy").length]).toEqual([
      1, 1, 1,
    ]);
  });

  it("lays COPY --link beside the stage", async () => {
    const compiled = await build("FROM busybox\nCOPY --link --chown=1:2 a /b");
    expect([ops(compiled, "merge").length, compiled.steps.at(-1)?.label]).toEqual([
      1,
      "LINK [2/2] COPY --link --chown=1:2 a /b",
    ]);
  });

  it("makes equal steps one", async () => {
    const compiled = await build(
      "FROM busybox AS a\nRUN x\nFROM busybox AS b\nRUN x\nFROM scratch\nCOPY --from=a / /a\nCOPY --from=b / /b",
    );
    expect(ops(compiled, "run").length).toBe(1);
  });

  it("uses a named context for FROM and --from", async () => {
    const compiled = await build("FROM given\nCOPY --from=given /a /b");
    expect(ops(compiled, "local").map(({ name }) => name)).toEqual(["named:given"]);
  });

  it.each([
    ["FROM nosuch", "E_IMAGE_NOTFOUND", 1],
    ["FROM $NOPE", "E_DF_EXPAND", 1],
    ["FROM busybox\nCOPY --from=$X a b", "E_DF_FLAG", 2],
    ["FROM busybox\nCOPY --from=1 a b", "E_DF_STAGE", 2],
    ["FROM busybox AS a\nCOPY --from=b / /\nFROM a AS b", "E_DF_STAGE", undefined],
    ["FROM busybox\nCOPY http://h/x /", "E_DF_ARGS", 2],
    ["FROM busybox\nADD --checksum=sha256:00 a /", "E_DF_ARGS", 2],
    ["FROM busybox\nADD --keep-git-dir=false https://h/o/r.git?keep-git-dir=true /", "E_DF_ARGS", 2],
    ["FROM busybox\nCOPY --chmod=64a a /", "E_CHMOD", 2],
    ["FROM busybox\nRUN --mount=type=tmpfs,target=/ x", "E_DF_MOUNT", 2],
    ["FROM busybox\nVOLUME $NOPE", "E_DF_ARGS", 2],
    ["FROM --platform=$NOPE busybox", "E_PLATFORM", 1],
    ["FROM busybox\nENV A=${B:?missing}", "E_DF_EXPAND", 2],
  ])("%j fails with %s at line %s", async (text, code, line) => {
    const details = line === undefined ? expect.anything() : expect.objectContaining({ line });
    await expect(build(text)).rejects.toMatchObject({ code, details });
  });
});
