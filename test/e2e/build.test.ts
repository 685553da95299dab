// SPDX-License-Identifier: Apache-2.0
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoBusybox } from "../support/bases.ts";
import { PROGRAM, addBusyboxImage, openProgramWorld } from "../support/program.ts";
import type { Outcome, ProgramWorld } from "../support/program.ts";

const reason = whyNoBusybox();
if (reason !== undefined) console.log(`skipped: building as a user does: ${reason}`);

const DOCKERFILE = `FROM busybox AS base
ARG WHO=nobody
RUN echo "hello $WHO" > /greeting
FROM base AS test
RUN echo tested > /tested
FROM base
WORKDIR /app
COPY . .
CMD ["cat", "/greeting", "file"]
`;

describe.skipIf(reason !== undefined)("tare build", () => {
  let world: ProgramWorld;
  let context = "";
  const children: ChildProcess[] = [];
  beforeAll(() => {
    world = openProgramWorld("build");
    addBusyboxImage(world);
    context = world.files("context", {
      Dockerfile: DOCKERFILE,
      file: "text\n",
      ".dockerignore": "*.log\n",
      "x.log": "",
    });
  });
  afterAll(() => {
    for (const { pid } of children) if (pid !== undefined) process.kill(-pid);
    world.close();
  });

  const build = (...args: string[]): Outcome => world.tare(["build", ...args]);
  /** What the built image prints. */
  function built(args: readonly string[], options: { input?: string | Uint8Array; cwd?: string } = {}): string {
    const { code, out, err } = world.tare(["build", "-t", "built", ...args], options);
    expect({ code, out }, err).toEqual({ code: 0, out: "" });
    return world.ok("run", "--rm", "built");
  }

  describe("takes its context from", () => {
    it("a folder, also the current one", () => {
      expect(built([context])).toBe("hello nobody\ntext");
      expect(built(["."], { cwd: context })).toBe("hello nobody\ntext");
      expect(world.ok("run", "--rm", "built", "ls", "-A")).toBe(".dockerignore\nDockerfile\nfile");
    });

    it("a folder with a Dockerfile from elsewhere or from the standard input", () => {
      const other = world.files("other", { "My.dockerfile": "FROM busybox\nCOPY file /f\nCMD cat /f\n" });
      expect(built(["-f", join(other, "My.dockerfile"), context])).toBe("text");
      const input = "FROM busybox\nCOPY file /g\nCMD cat /g; echo stdin\n";
      expect(built(["-f", "-", context], { input })).toBe("text\nstdin");
    });

    it("the standard input: a Dockerfile, a tar, a compressed tar", () => {
      expect(built(["-"], { input: "FROM busybox\nCMD echo alone\n" })).toBe("alone");
      for (const flag of ["-c", "-cz", "-cj"]) {
        const { stdout } = spawnSync("tar", [flag, "-C", context, "."]);
        expect(built(["-"], { input: stdout }), flag).toBe("hello nobody\ntext");
      }
    });

    it("a git repository: branch, folder, commit", async () => {
      const { url, daemon } = await serveGit(world, context);
      children.push(daemon);
      expect(built([url])).toBe("hello nobody\nfrom git");
      expect(built([`${url}#feature:sub`])).toBe("from the branch");
      const bad = build(`${url}#nowhere`);
      expect(bad).toMatchObject({ code: 1, out: "" });
      expect(bad.err).toMatch(/^error\[E_GIT\]: .*nowhere.*\nhint: /ms);
    });

    it("named contexts: folders and images", () => {
      const more = world.files("more", { extra: "extra\n" });
      const input = "FROM start\nCOPY --from=more extra /\nCMD cat /extra\n";
      const flags = ["--build-context", `more=${more}`, "--build-context", "start=docker-image://busybox"];
      expect(built(["-f", "-", ...flags, context], { input })).toBe("extra");
    });
  });

  describe("obeys", () => {
    it("--target and --build-arg, also from the environment", () => {
      expect(built(["--build-arg", "WHO=you", context])).toBe("hello you\ntext");
      const env = { WHO: "environment" };
      expect(world.tare(["build", "-t", "built", "--build-arg", "WHO", context], { env }).code).toBe(0);
      expect(world.ok("run", "--rm", "built")).toBe("hello environment\ntext");
      built(["--target", "test", context]);
      expect(world.ok("run", "--rm", "built", "cat", "/tested")).toBe("tested");
    });

    it("--label, --iidfile, --metadata-file and several -t", () => {
      const [id, metadata] = [join(world.folder, "iid"), join(world.folder, "metadata.json")];
      const flags = ["--label", "a=b", "--iidfile", id, "--metadata-file", metadata, "-t", "one:1", "-t", "two"];
      expect(build(...flags, context).code).toBe(0);
      const found = fs.readFileSync(id, "utf8");
      for (const name of ["one:1", "two:latest"]) {
        expect(world.ok("inspect", "--format", "{{.Id}} {{.Config.Labels.a}}", name)).toBe(`${found} b`);
      }
      const facts = JSON.parse(fs.readFileSync(metadata, "utf8")) as Record<string, unknown>;
      expect(facts["containerimage.config.digest"]).toBe(found);
      expect(facts["image.name"]).toBe("docker.io/library/one:1,docker.io/library/two:latest");
    });

    it("--no-cache-filter for one stage only", () => {
      const file =
        "FROM busybox AS a\nRUN cat /proc/sys/kernel/random/uuid > /a\nFROM busybox AS b\nRUN cat /proc/sys/kernel/random/uuid > /b\nFROM busybox\nCOPY --from=a /a /\nCOPY --from=b /b /\nCMD cat /a /b\n";
      const run = (...flags: string[]): string[] => built(["-f", "-", ...flags, context], { input: file }).split("\n");
      const first = run();
      expect(run()).toEqual(first);
      const second = run("--no-cache-filter", "b");
      expect([second[0] === first[0], second[1] === first[1]]).toEqual([true, false]);
      expect(run("--no-cache")[0]).not.toBe(first[0]);
    });

    it("a cache that looks at contents, not at times", () => {
      built([context]);
      fs.utimesSync(join(context, "file"), 1, 1);
      expect(build(context).err).toMatch(/COPY \. \.\n#\d+ CACHED/);
      fs.writeFileSync(join(context, "file"), "other\n");
      expect(build(context).err).not.toMatch(/COPY \. \.\n#\d+ CACHED/);
      fs.writeFileSync(join(context, "file"), "text\n");
    });
  });

  it("never keeps a secret", () => {
    const secret = `tare-secret-${Math.random().toString(36).slice(2)}-value`;
    const file = join(world.folder, "token");
    fs.writeFileSync(file, secret);
    const input = [
      "FROM busybox",
      "RUN --mount=type=secret,id=token wc -c /run/secrets/token && cp /proc/self/mounts /mounts",
      'RUN --mount=type=secret,id=two,env=TOKEN test -n "$TOKEN" && echo ${#TOKEN} > /length',
      "CMD cat /length",
    ].join("\n");
    const flags = ["--secret", `id=token,src=${file}`, "--secret", "id=two,env=THE_TOKEN"];
    const options = { input, env: { THE_TOKEN: secret } };
    const { code, err } = world.tare(
      ["build", "--progress", "plain", "-t", "secret", ...flags, "-f", "-", context],
      options,
    );
    expect(code, err).toBe(0);
    expect(err).not.toContain(secret);
    expect(world.ok("run", "--rm", "secret")).toBe(String(secret.length));
    expect(world.ok("history", "--no-trunc", "secret") + world.ok("inspect", "secret")).not.toContain(secret);
    const found = spawnSync("grep", ["-rlaF", secret, world.root, world.runRoot(), join(world.folder, "tmp")]);
    expect(found.stdout.toString()).toBe("");
  });

  it("lends a step the user's ssh agent", () => {
    const socket = join(world.folder, "agent");
    const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore", detached: true });
    children.push(agent);
    while (!fs.existsSync(socket)) spawnSync("sleep", ["0.05"]);
    const key = join(world.folder, "key");
    spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "comment-of-key", "-f", key]);
    spawnSync("ssh-add", ["-q", key], { env: { ...world.env, SSH_AUTH_SOCK: socket } });
    world.files("ssh", { Dockerfile: SSH_DOCKERFILE });
    packProgram("/usr/bin/ssh-add", join(world.folder, "ssh/ssh-add.tar"));
    const { code, err } = build("--ssh", `default=${socket}`, join(world.folder, "ssh"));
    expect(code, err).toBe(0);
    const none = world.tare(["build", "--no-cache", "-f", "-", context], {
      input: "FROM busybox\nRUN --mount=type=ssh,required true\n",
    });
    expect(none.err).toMatch(/^error\[E_SSH\]: .*\nhint: .*--ssh/ms);
  });

  describe("writes", () => {
    it("every type of output", () => {
      const out = (name: string): string => join(world.folder, name);
      const run = (...outputs: string[]): void => {
        const { code, err } = build("--target", "test", ...outputs.flatMap((output) => ["-o", output]), context);
        expect(code, err).toBe(0);
      };
      run(
        out("folder"),
        `type=tar,dest=${out("files.tar")}`,
        `type=oci,dest=${out("oci.tar")}`,
        `type=docker,dest=${out("docker.tar")}`,
      );
      expect(fs.readFileSync(join(out("folder"), "greeting"), "utf8")).toBe("hello nobody\n");
      expect(tarNames(out("files.tar"))).toContain("greeting");
      expect(tarNames(out("oci.tar"))).toEqual(expect.arrayContaining(["oci-layout", "index.json"]));
      expect(tarNames(out("docker.tar"))).toContain("manifest.json");
      run(`type=oci,tar=false,dest=${out("layout")}`, "type=image,name=stored:1");
      expect(fs.existsSync(join(out("layout"), "index.json"))).toBe(true);
      expect(world.ok("run", "--rm", "stored:1", "cat", "/tested")).toBe("tested");
      const piped = spawnSync(PROGRAM, ["build", "-o", "-", context], { env: world.env });
      expect(piped.stdout.includes("greeting")).toBe(true);
    });

    it("the graph with --plan, and builds nothing", () => {
      const before = world.ok("images", "-aq");
      const { code, out, err } = build("--plan", "--no-cache", context);
      expect({ code, err }).toEqual({ code: 0, err: "" });
      for (const text of ["RUN", "COPY . .", "FROM busybox"]) expect(out).toContain(text);
      expect(out).not.toContain("tested");
      expect(world.ok("images", "-aq")).toBe(before);
    });

    it("progress as asked", () => {
      const plain = build("--progress", "plain", context);
      expect(plain.out).toBe("");
      expect(plain.err).toMatch(/^#\d+ \[.*\] RUN echo/m);
      const quiet = build("-q", context);
      expect(quiet).toEqual({ code: 0, out: expect.stringMatching(/^sha256:[0-9a-f]{64}\n$/), err: "" });
      expect(build("--progress", "quiet", context).err).not.toContain("#1");
      const json = build("--progress", "json", "--no-cache", context);
      const events = json.err
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      expect(events.length).toBeGreaterThan(3);
    });
  });

  describe("gives the same digest", () => {
    const id = (args: readonly string[], options = {}): string => {
      const { code, out, err } = world.tare(["build", "-q", "--no-cache", ...args], options);
      expect(code, err).toBe(0);
      return out.trim();
    };

    it.each([{}, { SOURCE_DATE_EPOCH: "1700000000" }])(
      "from another path, with another umask, times and store: %j",
      (epoch: Record<string, string>) => {
        const options = { env: epoch };
        const first = id([context], options);
        const copy = join(world.folder, `elsewhere-${Object.keys(epoch).length}`);
        fs.cpSync(context, copy, { recursive: true });
        for (const name of fs.readdirSync(copy)) fs.utimesSync(join(copy, name), 1_600_000_000, 1_600_000_000);
        expect(id([copy], options)).toBe(first);
        const script = 'umask 077; exec "$0" build -q --no-cache "$1"';
        const { stdout } = spawnSync("sh", ["-c", script, PROGRAM, copy], {
          env: { ...world.env, ...epoch },
          encoding: "utf8",
        });
        expect(stdout.trim()).toBe(first);
        const second = openProgramWorld("second");
        try {
          second.ok("build", "-q", "-t", "busybox", join(world.folder, "busybox"));
          expect(second.tare(["build", "-q", copy], options).out.trim()).toBe(first);
        } finally {
          second.close();
        }
      },
    );

    it("and the time that SOURCE_DATE_EPOCH says", () => {
      const made = id([context], { env: { SOURCE_DATE_EPOCH: "1700000000" } });
      expect(world.ok("inspect", "--format", "{{.Created}}", made)).toMatch(/^2023-11-14T22:13:20/);
      expect(world.ok("run", "--rm", made, "stat", "-c", "%Y", "/greeting")).toBe("1700000000");
    });
  });
});

const SSH_DOCKERFILE = `FROM busybox
ADD ssh-add.tar /
RUN --mount=type=ssh ssh-add -l | grep comment-of-key
RUN test -z "$SSH_AUTH_SOCK" && test ! -e /run/buildkit
`;

/** A program of this host with its libraries, as a tar archive of the root directory. */
function packProgram(program: string, archive: string): void {
  const { stdout } = spawnSync("ldd", [program], { encoding: "utf8" });
  const libraries = [...stdout.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1] ?? "");
  const packed = spawnSync("tar", ["-chf", archive, "-P", "--transform=s,/usr/bin,/bin,", program, ...libraries]);
  if (packed.status !== 0) throw new Error(packed.stderr.toString());
}

function tarNames(path: string): readonly string[] {
  return spawnSync("tar", ["-tf", path], { encoding: "utf8" })
    .stdout.split("\n")
    .map((name) => name.replace(/^\.\//, ""));
}

/** A repository on this machine, with `git daemon` before it, in a process group of its own. */
async function serveGit(world: ProgramWorld, context: string): Promise<{ url: string; daemon: ChildProcess }> {
  const work = join(world.folder, "git/repo");
  fs.cpSync(context, work, { recursive: true });
  fs.writeFileSync(join(work, "file"), "from git\n");
  const git = (...args: string[]): void => {
    const who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"];
    const { status, stderr } = spawnSync("git", ["-C", work, ...who, ...args], { encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
  };
  git("init", "-q");
  git("add", "-f", ".");
  git("commit", "-qm", "one");
  git("checkout", "-qb", "feature");
  world.files("git/repo/sub", { Dockerfile: "FROM busybox\nCMD echo from the branch\n" });
  git("add", ".");
  git("commit", "-qm", "two");
  git("checkout", "-q", "main");
  const port = await freePort();
  const flags = [
    "--export-all",
    "--reuseaddr",
    "--listen=127.0.0.1",
    `--port=${port}`,
    `--base-path=${join(world.folder, "git")}`,
  ];
  const daemon = spawn("git", ["daemon", ...flags], { stdio: "ignore", detached: true });
  const url = `git://127.0.0.1:${port}/repo/.git`;
  while (spawnSync("git", ["ls-remote", url]).status !== 0) await sleep(100);
  return { url, daemon };
}

function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
