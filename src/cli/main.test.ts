// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { TareError } from "../base/index.ts";
import { COMMANDS, groupNames } from "./commands/table.ts";
import { loadCommand } from "./command.ts";
import { NOW, tare } from "./fixture.ts";
import { optionsOf } from "./parsed.ts";
import type { BuildRequest, ContainerSummary, CreateRequest, ImageSummary, ProcessIo } from "../engine/index.ts";

describe("tare", () => {
  it("prints grouped help without words", async () => {
    const { code, stdout } = await tare([]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Usage: {2}tare \[OPTIONS\] COMMAND\n/);
    for (const text of [
      "Start here:",
      "Build and run:\n  build ",
      "Containers:\n  ps ",
      "Images:\n",
      "System:\n",
      "--version",
    ])
      expect(stdout).toContain(text);
    expect(stdout).not.toContain("__complete");
  });

  const typos: readonly (readonly [readonly string[], number, string])[] = [
    [["biuld"], 1, "error[E_USAGE]: 'biuld' is not a tare command\nhint: did you mean `tare build`?\n"],
    [["image", "lss"], 1, "error[E_USAGE]: 'image lss' is not a tare command\nhint: did you mean `tare image ls`?\n"],
    [
      ["network", "creat"],
      1,
      "error[E_USAGE]: 'network creat' is not a tare command\nhint: did you mean `tare network create`?\n",
    ],
    [
      ["gpu", "cdi", "sl"],
      1,
      "error[E_USAGE]: 'gpu cdi sl' is not a tare command\nhint: did you mean `tare gpu cdi ls`?\n",
    ],
    [["compose"], 1, "error[E_USAGE]: 'compose' is not a tare command yet\nhint: Docker has it"],
    [["zzzzzz"], 1, "error[E_USAGE]: 'zzzzzz' is not a tare command\nhint: `tare --help` lists the commands\n"],
    [["--badflag"], 125, "error[E_USAGE]: unknown flag: --badflag\n"],
    [
      ["run", "--badflag", "x"],
      125,
      "error[E_USAGE]: unknown flag: --badflag\n  usage: tare run [OPTIONS] IMAGE [COMMAND] [ARG...]\nhint: `tare run --help` lists the options\n",
    ],
    [
      ["tag", "a"],
      1,
      "error[E_USAGE]: `tare tag` requires 2 arguments\n  usage: tare tag SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]\nhint: `tare tag --help` lists the options\n",
    ],
    [
      ["run", "-m", "xx", "i"],
      125,
      'error[E_USAGE]: invalid argument "xx" for "-m, --memory" flag: invalid size: \'xx\'\n  usage: tare run [OPTIONS] IMAGE [COMMAND] [ARG...]\nhint: ',
    ],
    [
      ["run", "--gpus", "device=0,1", "i"],
      125,
      'error[E_USAGE]: invalid argument "device=0,1" for "--gpus" flag: cannot set both Count and DeviceIDs on device request\n  usage: tare run [OPTIONS] IMAGE [COMMAND] [ARG...]\nhint: a comma ends a field: quote a list as a whole inside the value: --gpus \'"device=0,1"\'',
    ],
    [["build", "--squash", "."], 125, "error[E_UNSUPPORTED]: option `--squash`: layers are kept"],
  ];
  it.each(typos)("answers %j with exit code %i", async (words, code, text) => {
    const outcome = await tare(words);
    expect(outcome.code).toBe(code);
    expect(outcome.stderr.slice(0, text.length)).toBe(text);
    expect(outcome.stdout).toBe("");
  });

  it("prints the same help for help run, run --help and container run --help", async () => {
    const texts = await Promise.all(
      [
        ["help", "run"],
        ["run", "--help"],
        ["container", "run", "--help"],
      ].map((words) => tare(words)),
    );
    expect(new Set(texts.map(({ stdout }) => stdout)).size).toBe(1);
    expect(texts[0]?.stdout).toMatch(/^Usage: {2}tare run \[OPTIONS\] IMAGE \[COMMAND\] \[ARG\.\.\.\]\n/);
  });

  it("prints a whole help page", async () => {
    expect((await tare(["help", "kill"])).stdout).toBe(
      [
        "Usage:  tare kill [OPTIONS] CONTAINER [CONTAINER...]",
        "",
        "Send a signal to running containers",
        "",
        "Aliases:",
        "  tare kill, tare container kill",
        "",
        "Examples:",
        "  # let it read its settings again",
        "  tare kill -s HUP web",
        "",
        "Options:",
        "      --debug           Show causes and stack traces of errors",
        "  -h, --help            Print usage",
        "      --root path       Folder of the store",
        '  -s, --signal string   Signal to send (default "KILL")',
        "",
      ].join("\n"),
    );
  });

  it("shows the source of a Dockerfile error", async () => {
    const error = new TareError("E_DF_UNKNOWN", "parsing `Dockerfile` line 3: unknown instruction: RNU", {
      hint: "did you mean `RUN`?",
      details: { file: "Dockerfile", line: 3, endLine: 3, text: "RNU make\u001b[2J", column: 1, endColumn: 3 },
    });
    const { code, stderr } = await tare(["build", "."], { engine: { build: () => Promise.reject(error) } });
    expect(code).toBe(1);
    expect(stderr).toBe(
      [
        "error[E_DF_UNKNOWN]: parsing `Dockerfile` line 3: unknown instruction: RNU",
        "  --> Dockerfile:3:1",
        "    |",
        "  3 | RNU make",
        "    | ^^^",
        "hint: did you mean `RUN`?",
        "",
      ].join("\n"),
    );
  });

  it("marks the failed step among its neighbours", async () => {
    const source = "FROM x\n\nRUN a \\\n  b\nCMD c\nUSER d\nLABEL e=f\n";
    const details = { file: "Dockerfile", line: 3, endLine: 4, source };
    const error = new TareError("E_IO", "process failed", { details });
    const { stderr } = await tare(["build", "."], { engine: { build: () => Promise.reject(error) } });
    expect(stderr).toBe(
      [
        "error[E_IO]: process failed",
        "  --> Dockerfile:3",
        "  1 |     FROM x",
        "  2 |",
        "  3 | >>> RUN a \\",
        "  4 | >>>   b",
        "  5 |     CMD c",
        "  6 |     USER d",
        "",
      ].join("\n"),
    );
  });

  it("escapes control characters of messages", async () => {
    const error = new TareError("E_IMAGE_NOTFOUND", "no image `\u001b]0;x\u0007`");
    const { stderr } = await tare(["tag", "a", "b"], { engine: { images: { tag: () => Promise.reject(error) } } });
    expect(stderr).toBe("error[E_IMAGE_NOTFOUND]: no image `\\x1b]0;x\\x07`\n");
  });

  it("shows causes and stacks with --debug only", async () => {
    const error = new TareError("E_IO", "reading `x`: no", { cause: new Error("the disk") });
    const engine = { images: { tag: () => Promise.reject(error) } };
    expect((await tare(["tag", "a", "b"], { engine })).stderr).not.toContain("the disk");
    expect((await tare(["--debug", "tag", "a", "b"], { engine })).stderr).toMatch(/caused by: Error: the disk\n\s+at /);
  });

  it("fails with 125 when run cannot begin", async () => {
    const error = new TareError("E_IMAGE_NOTFOUND", "no such image");
    const run = (): Promise<never> => Promise.reject(error);
    expect((await tare(["run", "x"], { engine: { containers: { run } } })).code).toBe(125);
  });
});

describe("run", () => {
  async function request(
    words: readonly string[],
  ): Promise<{ request: CreateRequest; io: ProcessIo | "detached"; code: number }> {
    const calls: { request: CreateRequest; io: ProcessIo | "detached" }[] = [];
    const run = (made: CreateRequest, io: ProcessIo | "detached"): Promise<{ id: string; exitCode: number }> => {
      calls.push({ request: made, io });
      return Promise.resolve({ id: "abc", exitCode: 7 });
    };
    const outcome = await tare(["run", ...words], {
      engine: { containers: { run } },
      env: { KEY: "v" },
      stdinIsTerminal: true,
    });
    const [call] = calls;
    if (!call) throw new Error(outcome.stderr);
    return { ...call, code: outcome.code };
  }

  it("hands everything on and answers the program's exit code", async () => {
    const line =
      "-it --rm --name n -e A=1 -eB=2 -e KEY -e GONE -v /a:/b:ro --mount type=tmpfs,target=/t,tmpfs-size=1m -m 64m";
    const { request: made, code } = await request([
      ...`${line} --cpus 1.5 --ulimit nofile=1:2 -h box img`.split(" "),
      "sh",
      "-c",
      "x",
    ]);
    expect(code).toBe(7);
    expect(made).toMatchObject({
      image: "img",
      command: ["sh", "-c", "x"],
      interactive: true,
      tty: true,
      autoRemove: true,
      name: "n",
      hostname: "box",
      env: ["A=1", "B=2", "KEY=v", "GONE"],
      mounts: [
        { type: "bind", source: "/a", target: "/b", readonly: true, createSource: true },
        { type: "tmpfs", target: "/t", size: 1 << 20 },
      ],
      resources: { memory: 64 << 20, nanoCpus: 1.5e9, ulimits: [{ name: "nofile", soft: 1, hard: 2 }] },
      pull: "missing",
    });
  });

  it("joins the process's own descriptors without a terminal", async () => {
    const { io } = await request(["img"]);
    expect(io).toMatchObject({ stdout: 1, stderr: 2, onSignal: expect.any(Function) as unknown });
    expect(io).not.toHaveProperty("stdin");
    expect((await request(["--sig-proxy=false", "-i", "img"])).io).toEqual({ stdin: 0, stdout: 1, stderr: 2 });
  });

  it("refuses two mounts on one path", async () => {
    await expect(request(["-v", "/a:/x", "--tmpfs", "/x", "img"])).rejects.toThrow("duplicate mount point: /x");
  });
});

describe("build", () => {
  it("reads its flags", async () => {
    const made: BuildRequest[] = [];
    const build = (request: BuildRequest): Promise<never> => {
      made.push(request);
      return Promise.reject(new TareError("E_ABORTED", "enough"));
    };
    const words =
      "build -t a -t b:1 -f D --target s --build-arg X=1 --build-arg KEY --build-arg NONE --secret id=t,env=T --ssh default --platform linux/amd64,linux/arm64 -o type=oci,dest=o.tar --no-cache=false --progress plain --provenance=false dir";
    await tare(words.split(" "), { engine: { build }, env: { KEY: "v", SOURCE_DATE_EPOCH: "5" } });
    expect(made[0]).toMatchObject({
      cwd: "/work",
      context: "dir",
      file: "D",
      tags: ["a", "b:1"],
      target: "s",
      buildArgs: { X: "1", KEY: "v" },
      secrets: [{ id: "t", env: "T" }],
      ssh: { default: [] },
      platforms: ["linux/amd64", "linux/arm64"],
      outputs: [{ type: "oci", destination: "o.tar", attributes: {} }],
      noCache: false,
      sourceDateEpoch: 5,
    });
    expect(made[0]).not.toHaveProperty("attestations");
  });

  const min = { provenance: { mode: "min" } };
  it.each([
    ["--sbom dir", { sbom: "spdx" }],
    ["--sbom=cyclonedx dir", { sbom: "cyclonedx" }],
    ["--sbom cyclonedx dir", { sbom: "cyclonedx" }],
    ["--sbom true --provenance dir", { sbom: "spdx", ...min }],
    ["--provenance=true dir", min],
    [
      "--provenance mode=max,builder-id=https://x.test dir",
      { provenance: { mode: "max", builderId: "https://x.test" } },
    ],
    ["--provenance max dir", { provenance: { mode: "max" } }],
    ["--attest type=sbom --attest type=provenance,mode=max dir", { sbom: "spdx", provenance: { mode: "max" } }],
    ["--attest type=provenance --attest type=provenance,disabled=true --sbom=false dir", undefined],
    ["--sbom=false dir", undefined],
    ["--provenance false dir", undefined],
  ])("reads `%s`", async (words, attestations) => {
    const made: BuildRequest[] = [];
    const build = (request: BuildRequest): Promise<never> => {
      made.push(request);
      return Promise.reject(new TareError("E_ABORTED", "enough"));
    };
    await tare(["build", ...words.split(" ")], { engine: { build } });
    expect(made[0]?.context).toBe("dir");
    const { version: _version, ...asked } = made[0]?.attestations ?? {};
    expect(made[0]?.attestations === undefined ? undefined : asked).toEqual(attestations);
  });

  it.each(["--sbom=x .", "--provenance=mode=all .", "--provenance=y=1 .", "--attest type=x ."])(
    "refuses `%s`",
    async (words) => {
      const { code, stderr } = await tare(["build", ...words.split(" ")], { engine: {} });
      expect([code, stderr]).toEqual([125, expect.stringContaining("error[E_USAGE]") as string]);
    },
  );
});

describe("listings", () => {
  const image: ImageSummary = {
    id: `sha256:${"a1".repeat(32)}`,
    digest: `sha256:${"b2".repeat(32)}`,
    names: ["python:3.11-slim", "localhost:5000/py:1"],
    createdAt: NOW - 3 * 60_000,
    size: 124_400_000,
    containers: 1,
    labels: {},
    platforms: ["linux/amd64"],
  };
  const images = { list: () => Promise.resolve([image, { ...image, id: `sha256:${"c3".repeat(32)}`, names: [] }]) };
  const container: ContainerSummary = {
    id: "d4".repeat(32),
    name: "web",
    image: "hello",
    imageId: image.id,
    command: ["python", "app.py", "--port", "8000"],
    createdAt: NOW - 7200_000,
    startedAt: NOW - 65_000,
    state: "running",
    health: "healthy",
    labels: { team: "vision" },
    mounts: [],
    localVolumes: 0,
    networks: [],
    ports: [],
  };
  const containers = { list: () => Promise.resolve([container]) };

  const cases: readonly (readonly [string, string])[] = [
    [
      "images",
      [
        "REPOSITORY          TAG         IMAGE ID       CREATED         SIZE",
        "python              3.11-slim   a1a1a1a1a1a1   3 minutes ago   124MB",
        "localhost:5000/py   1           a1a1a1a1a1a1   3 minutes ago   124MB",
        "<none>              <none>      c3c3c3c3c3c3   3 minutes ago   124MB",
        "",
      ].join("\n"),
    ],
    ["images -q", "a1a1a1a1a1a1\nc3c3c3c3c3c3\n"],
    ["image ls --format {{.Repository}}:{{.Tag}}", "python:3.11-slim\nlocalhost:5000/py:1\n<none>:<none>\n"],
    [
      "ps",
      [
        "CONTAINER ID   IMAGE     COMMAND                  CREATED       STATUS                        PORTS     NAMES",
        'd4d4d4d4d4d4   hello     "python app.py --por…"   2 hours ago   Up About a minute (healthy)             web',
        "",
      ].join("\n"),
    ],
    ["ps --format table\u00a0{{.Names}}\\t{{.State}}", "NAMES     STATE\nweb       running\n"],
    ["container ls -q --no-trunc", `${"d4".repeat(32)}\n`],
  ];
  it.each(cases)("prints %s", async (line, expected) => {
    const words = line.split(" ").map((word) => word.replace("\u00a0", " "));
    expect((await tare(words, { engine: { images, containers } })).stdout).toBe(expected);
  });

  it("prints data with --json and objects by line with --format json", async () => {
    const engine = { images, containers };
    expect(JSON.parse((await tare(["images", "--json"], { engine })).stdout)).toMatchObject([{ id: image.id }, {}]);
    const [line = ""] = (await tare(["ps", "--format", "json"], { engine })).stdout.split("\n");
    expect(JSON.parse(line)).toMatchObject({
      Names: "web",
      Status: "Up About a minute (healthy)",
      Labels: "team=vision",
    });
  });

  it("names the fields there are when one is not", async () => {
    const { code, stderr } = await tare(["ps", "--format", "{{.Nmaes}}"], { engine: { containers } });
    expect(code).toBe(1);
    expect(stderr).toContain("did you mean `.Names`?");
  });
});

describe("prunes", () => {
  const prune = (): Promise<{ ids: string[]; reclaimed: number }> =>
    Promise.resolve({ ids: ["abc"], reclaimed: 2_500_000 });
  const prunable = (): Promise<{ id: string; name: string; size: number }[]> =>
    Promise.resolve([{ id: "abc", name: "old", size: 2_500_000 }]);
  const engine = { containers: { prune, prunable } };

  it("names on a terminal what goes, and asks", async () => {
    const yes = await tare(["container", "prune"], { engine, stdinIsTerminal: true, input: "y\n" });
    expect(yes.stderr).toContain("containers.\n  old (2.5MB)\nAre you sure you want to continue? [y/N] ");
    expect(yes.stdout).toBe("Deleted Containers:\nabc\n\nTotal reclaimed space: 2.5MB\n");
    expect((await tare(["container", "prune"], { engine, stdinIsTerminal: true, input: "\n" })).stdout).toBe("");
  });

  it("rm -v names the volumes that would go with a container, and asks", async () => {
    const removed: string[] = [];
    const volume = { driver: "local", createdAt: 0, labels: {}, options: {}, mountpoint: "/" } as const;
    const rows = [
      { ...volume, name: "goes", anonymous: true, users: ["web"] },
      { ...volume, name: "shared", anonymous: true, users: ["db", "web"] },
      { ...volume, name: "named", anonymous: false, users: ["web"] },
    ];
    const parts = {
      containers: {
        inspect: () => Promise.resolve({ Name: "/web" }),
        remove: (name: string) => Promise.resolve(void removed.push(name)),
      },
      volumes: { list: () => Promise.resolve(rows) },
    };
    const no = await tare(["rm", "-v", "abc"], { engine: parts, stdinIsTerminal: true, input: "n\n" });
    expect(no.stderr).toContain("anonymous volumes:\n  goes (of web)\nAre you sure");
    expect(removed).toEqual([]);
    await tare(["rm", "-v", "abc"], { engine: parts, stdinIsTerminal: true, input: "y\n" });
    await tare(["rm", "-v", "abc"], { engine: parts });
    await tare(["rm", "-fv", "abc"], { engine: parts, stdinIsTerminal: true });
    expect(removed).toEqual(["abc", "abc", "abc"]);
  });

  it("does not guess where nobody can be asked", async () => {
    expect(await tare(["container", "prune"], { engine })).toMatchObject({ code: 1, stdout: "" });
    expect((await tare(["container", "prune", "-f"], { engine })).stdout).toContain("Total reclaimed space");
  });
});

describe("inspect", () => {
  const engine = {
    containers: { inspect: () => Promise.reject(new TareError("E_IMAGE_NOTFOUND", "none")) },
    images: { inspect: () => Promise.resolve({ Id: "sha256:1", Config: { Env: ["A=1"] } }) },
  };
  it("finds images where there is no such container", async () => {
    expect((await tare(["inspect", "x"], { engine })).stdout).toBe(
      `${JSON.stringify([{ Id: "sha256:1", Config: { Env: ["A=1"] } }], undefined, 4)}\n`,
    );
    expect((await tare(["inspect", "-f", "{{json .Config.Env}}", "x"], { engine })).stdout).toBe('["A=1"]\n');
  });

  it("prints an empty list and fails where there is neither", async () => {
    const outcome = await tare(["container", "inspect", "x"], { engine });
    expect(outcome).toMatchObject({ code: 1, stdout: "[]\n" });
  });
});

describe("completion", () => {
  const engine = {
    images: { names: () => Promise.resolve(["hello:latest", "python:3.11-slim"]) },
    containers: { names: ({ all }: { all: boolean }) => Promise.resolve(all ? ["web", "old"] : ["web"]) },
  };
  const cases: readonly (readonly [readonly string[], readonly string[]])[] = [
    [["im"], ["images", "import", "image"]],
    [["buil"], ["build"]],
    [["image", "r"], ["rm"]],
    [["help", "sto"], ["stop"]],
    [["run", "--rm", "he"], ["hello:latest"]],
    [["run", "-it", "img", "he"], []],
    [["run", "--pull", "n"], ["never"]],
    [["run", "--pull=n"], ["--pull=never"]],
    [["run", "--env-file", ""], [":file"]],
    [["run", "--read"], ["--read-only"]],
    [["stop", ""], ["web"]],
    [["rm", "o"], ["old"]],
    [["--root", "/x", "tag", "py"], ["python:3.11-slim"]],
    [["build", "-t"], []],
    [
      ["run", "--gp"],
      ["--gpus", "--gpu-check"],
    ],
    [["run", "--storage"], []],
    [
      ["container", "prune", "--f"],
      ["--force", "--filter"],
    ],
  ];
  it.each(cases)("completes %j", async (words, expected) => {
    const { stdout } = await tare(["__complete", "--", ...words], { engine });
    expect(
      stdout
        .split("\n")
        .slice(0, -1)
        .map((line) => line.split("\t")[0]),
    ).toEqual(expected);
  });

  it("has a script for every shell and a hint for others", async () => {
    for (const shell of ["bash", "zsh", "fish"])
      expect((await tare(["completion", shell])).stdout).toContain("__complete --");
    expect(await tare(["completion", "tcsh"])).toMatchObject({ code: 125 });
  });
});

describe("groups in groups", () => {
  it.each([
    [["gpu", "data"], "Usage:  tare gpu data COMMAND"],
    [["gpu", "data", "--help"], "Usage:  tare gpu data COMMAND"],
    [["help", "gpu", "data"], "Usage:  tare gpu data COMMAND"],
    [["gpu"], "data show"],
    [["help", "gpu", "data", "show"], "Usage:  tare gpu data show"],
  ])("%j prints help", async (words, text) => {
    const { code, stdout } = await tare(words);
    expect([code, stdout]).toEqual([0, expect.stringContaining(text)]);
  });

  it("corrects typos at every word", async () => {
    expect((await tare(["gpu", "data", "shw"])).stderr).toContain("did you mean `tare gpu data show`?");
    expect((await tare(["image", "lss"])).stderr).toContain("did you mean `tare image ls`?");
  });

  it("completes each word once", async () => {
    const answers = async (...words: string[]): Promise<readonly (string | undefined)[]> =>
      (await tare(["__complete", ...words])).stdout
        .split("\n")
        .slice(0, -1)
        .map((line) => line.split("\t")[0]);
    expect((await answers("gpu", "")).filter((word) => word === "data")).toHaveLength(1);
    expect(await answers("gpu", "data", "")).toEqual(["show", "update", "push"]);
    expect(await answers("gpu", "data", "show", "x", "")).toEqual([]);
  });
});

describe("the table of commands", () => {
  it("has no name twice, no option twice, and texts without a full stop", async () => {
    const names = COMMANDS.flatMap(({ name, aliases }) => [name, ...aliases]);
    expect(new Set(names).size).toBe(names.length);
    expect(groupNames()).toEqual(expect.arrayContaining(["image", "container", "system"]));
    for (const spec of await Promise.all(COMMANDS.map(loadCommand))) {
      const keys = optionsOf(spec).flatMap(({ name, short }) => (short ? [`--${name}`, `-${short}`] : [`--${name}`]));
      expect(
        keys.filter((key, index) => keys.indexOf(key) !== index),
        spec.name,
      ).toEqual([]);
      for (const text of [spec.summary, ...spec.options.map(({ description }) => description)])
        expect(text, spec.name).not.toMatch(/\.$/);
      if (!spec.hidden) expect(spec.examples.length, spec.name).toBeGreaterThan(0);
    }
  });
});
