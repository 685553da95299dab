// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { endHolder } from "../support/ordinary-user.ts";
import { whyNoBusybox } from "../support/bases.ts";
import { Leftovers } from "../support/leftovers.ts";
import { PROGRAM, addBusyboxImage, openProgramWorld } from "../support/program.ts";
import type { Outcome, ProgramWorld } from "../support/program.ts";

const reason = whyNoBusybox();
if (reason !== undefined) console.log(`skipped: bad input: ${reason}`);

/** A Dockerfile that can't be built, what is said of it and what is advised. */
const DOCKERFILES: Readonly<Record<string, readonly [string | Buffer, code: string, text: RegExp]>> = {
  "is empty": ["", "E_DF_EMPTY", /no instructions.*FROM image/s],
  "has only comments and ARG": ["# nothing\nARG A=1\n", "E_DF_NOFROM", /FROM/],
  "has an instruction with a typo": [
    "FROM busybox\nCOPPY a b\n",
    "E_DF_UNKNOWN",
    /Dockerfile:2:1.*did you mean `COPY`/s,
  ],
  "begins with RUN": ["RUN true\nFROM busybox\n", "E_DF_ORDER", /FROM/],
  "copies what is not there": ["FROM busybox\nCOPY missing.txt /\n", "E_COPY_NOTFOUND", /missing\.txt.*>>> COPY/s],
  "takes an unknown image": ["FROM busibox\n", "E_IMAGE_NOTFOUND", /did you mean `busybox`/],
  "copies from an unknown stage": [
    "FROM busybox AS builder\nFROM scratch\nCOPY --from=buidler /x /\n",
    "E_IMAGE_NOTFOUND",
    /did you mean the stage `builder`/,
  ],
  "names an image in capitals": ["FROM BusyBox\n", "E_REF", /lower case.*`busybox`/s],
  "has a flag with a typo": ["FROM busybox\nCOPY --chwon=1 a b\n", "E_DF_FLAG", /did you mean `--chown`/],
  "runs a program that fails": ["FROM busybox\nRUN seq 30; echo E >&2; exit 3\n", "E_RUN_FAILED", /exit code: 3/],
  "runs a program that is not there": ["FROM busybox\nRUN nosuch\n", "E_RUN_FAILED", /127.*not found in the image/s],
  "runs a file that is not there": ['FROM busybox\nRUN ["nosuch"]\n', "E_EXEC_NOENT", /`nosuch` is not in the image/],
  "leaves the context": ["FROM busybox\nCOPY ../x /\n", "E_COPY_NOTFOUND", /can't leave it/],
  "runs as an unknown user": ["FROM busybox\nUSER nobody2\nRUN true\n", "E_USER_UNKNOWN", />>> RUN true.*useradd/s],
  "works below /proc": ["FROM busybox\nWORKDIR /proc/self/fd/7\nRUN true\n", "E_CWD", /not below \/proc/],
  "has an empty base": ["FROM ${BASE}\n", "E_DF_EXPAND", /--build-arg/],
  "adds what can't be fetched": ["FROM busybox\nADD http://127.0.0.1:9/x /\n", "E_HTTP", /ECONNREFUSED/],
  "is UTF-16": [Buffer.from("\ufeffFROM busybox\n", "utf16le"), "E_DF_ENCODING", /UTF-16.*save it as UTF-8/s],
  "has a huge line": [`FROM busybox\nRUN echo ${"x".repeat(200_000)}\n`, "E_DF_TOOBIG", /longer than 65535/],
  "opens a heredoc for ever": ["FROM busybox\nRUN <<EOF\necho\n", "E_DF_HEREDOC", /EOF/],
  "wants a secret that is not given": [
    "FROM busybox\nRUN --mount=type=secret,id=pip,required cat /run/secrets/pip\n",
    "E_SECRET",
    /--secret id=pip/,
  ],
};

/** Command lines that can't be obeyed: words, exit code, error code, text. */
const COMMANDS: Readonly<Record<string, readonly [words: string, exit: number, code: string, text: RegExp]>> = {
  "build of an empty folder": ["build empty", 1, "E_DOCKERFILE_MISSING", /`-f PATH`/],
  "build of no folder": ["build nowhere", 1, "E_CONTEXT", /"nowhere" does not exist/],
  "build of a file": ["build good/file", 1, "E_CONTEXT", /is not a folder/],
  "build without a context": ["build", 1, "E_USAGE", /requires 1 argument/],
  "build -f of no file": ["build -f nosuch good", 1, "E_DOCKERFILE_MISSING", /did you mean `-f Dockerfile`/],
  "build -t of a bad name": ["build -t Bad_Name: good", 1, "E_REF", /`bad_name`/],
  "build --target of no stage": ["build --target nope good", 1, "E_STAGE_NOTFOUND", /"nope"/],
  "build with a typo in a flag": ["build --tga x good", 125, "E_USAGE", /did you mean `--tag`/],
  "build with a secret that is not there": ["build --secret id=a,src=nofile mount", 1, "E_SECRET", /nofile/],
  "build -o of an unknown type": ["build -o type=ocy good", 125, "E_USAGE", /did you mean oci/],
  "a command with a typo": ["bulid good", 1, "E_USAGE", /did you mean `tare build`/],
  "a command of Docker's": ["compose up", 1, "E_USAGE", /comes with a later version/],
  "run of nothing": ["run", 1, "E_USAGE", /requires at least 1 argument/],
  "run of an unknown image": ["run busibox", 125, "E_IMAGE_NOTFOUND", /did you mean `busybox`/],
  "run of a bad reference": ["run BusyBox:", 125, "E_REF", /`busybox`/],
  "run with a typo in a flag": ["run --rmm busybox", 125, "E_USAGE", /did you mean `--rm`/],
  "run with a bad size": ["run -m 5x busybox", 125, "E_USAGE", /use b, k, m, g or t/],
  "run of no program": ["run --rm busybox nope", 127, "E_EXEC_NOENT", /`nope` is not in the image/],
  "run of a folder": ["run --rm busybox /etc", 126, "E_EXEC_DENIED", /not executable/],
  "run of a file without x": ["run --rm --entrypoint /etc/passwd busybox", 126, "E_EXEC_DENIED", /chmod \+x/],
  "run of a program of another processor": ["run --rm arm /arm", 126, "E_EXEC_FORMAT", /not a program for this/],
  "run of an image without a command": ["run --rm arm", 125, "E_NO_COMMAND", /hint:/],
  "run as an unknown user": ["run --rm -u nobody2 busybox true", 125, "E_USER_UNKNOWN", /`nobody2`/],
  "run -v of a bad path": ["run --rm -v relative/x:/y:zz busybox", 125, "E_USAGE", /zz/],
  "run --mount of no folder": [
    "run --rm --mount type=bind,src=/no/such/folder,dst=/x busybox",
    125,
    "E_MOUNT_SOURCE",
    /\/no\/such/,
  ],
  "run -v over /proc": ["run --rm -v /tmp:/proc busybox", 125, "E_MOUNT_RESERVED", /\/proc/],
  "run --name of a bad name": ["run --rm --name a/b busybox", 125, "E_NAME", /letters, digits/],
  "run --env-file of no file": ["run --rm --env-file nofile busybox", 125, "E_IO", /nofile/],
  "run with an option that there is no way to": [
    "run --storage-opt size=1g busybox",
    125,
    "E_UNSUPPORTED",
    /limit of size/,
  ],
  "run in a relative folder": ["run --rm -w rel busybox", 125, "E_WORKDIR", /begin it with/],
  "run with no such device": ["run --rm --device /dev/nope busybox", 125, "E_IO", /\/dev\/nope/],
  "run with no such capability": ["run --rm --cap-add FOO busybox", 125, "E_USAGE", /`FOO`/],
  "run for another platform": [
    "run --rm --platform linux/arm64 busybox",
    125,
    "E_PLATFORM",
    /linux\/amd64|linux\/arm64/,
  ],
  "run with no such runtime": ["run --rm --runtime nosuch busybox", 125, "E_NO_RUNTIME", /nosuch/],
  "run of an unknown network": ["run --rm --network web busybox", 125, "E_NETWORK_NOTFOUND", /network ls/],
  "logs of nothing": ["logs nope", 1, "E_CONTAINER_NOTFOUND", /tare ps -a/],
  "exec in nothing": ["exec nope ls", 1, "E_CONTAINER_NOTFOUND", /tare ps -a/],
  "rm of nothing": ["rm nope", 1, "E_CONTAINER_NOTFOUND", /tare ps -a/],
  "rmi of nothing": ["rmi busibox", 1, "E_IMAGE_NOTFOUND", /`busybox`/],
  "load of no file": ["load -i nofile", 1, "E_IO", /nofile.*no such file/],
  "load of no archive": ["load -i good/file", 1, "E_TAR_MAGIC", /no tar archive/],
  "import of no file": ["import nofile", 1, "E_IO", /nofile.*no such file/],
};

describe.skipIf(reason !== undefined)("bad input gives one clear error", () => {
  let world: ProgramWorld;
  beforeAll(() => {
    world = openProgramWorld("bad");
    addBusyboxImage(world);
    world.files("empty", {});
    world.files("good", { Dockerfile: "FROM busybox AS one\nCOPY file /\n", file: "text" });
    world.files("mount", { Dockerfile: "FROM busybox\nRUN --mount=type=secret,id=a cat /run/secrets/a\n" });
    // The head of a program for arm64.
    const arm = Buffer.from("7f454c46020101000000000000000000 0200b700".replace(" ", ""), "hex");
    const context = world.files("arm", { Dockerfile: "FROM scratch\nCOPY --chmod=755 arm /\n", arm });
    world.ok("build", "-q", "-t", "arm", context);
  });
  afterAll(() => world.close());

  it.each(Object.entries(DOCKERFILES))("when a Dockerfile %s", (_name, [text, code, expected]) => {
    const folder = world.files("case", { Dockerfile: text, a: "" });
    const before = world.ok("images", "-aq");
    const result = world.tare(["build", "-t", "bad", folder]);
    expectError(result, 1, code, expected);
    expect(world.ok("images", "-aq")).toBe(before);
  });

  it.each(Object.entries(COMMANDS))("at %s", (_name, [words, exit, code, expected]) => {
    expectError(world.tare(words.split(" ")), exit, code, expected);
    expect(world.ok("ps", "-aq")).toBe("");
  });

  it("and the whole output of a failed step stands at the end", () => {
    const folder = world.files("long", { Dockerfile: "FROM busybox\nRUN seq 300; exit 3\n" });
    const { err } = world.tare(["build", folder]);
    const shown = err.slice(err.indexOf("------"), err.indexOf("error["));
    for (const n of [1, 150, 300]) expect(shown).toMatch(new RegExp(`^\\S+ ${n}$`, "m"));
  });

  it("when neither runc nor crun is there", () => {
    // The programs are hidden in a mount namespace of the command's own.
    const hide = 'for p in $(which -a runc crun); do mount --bind /dev/null $p; done; exec "$@"';
    const run = (...args: string[]): Outcome => isolated(world, ["sh", "-c", hide, "sh", PROGRAM, ...args]);
    // A runtime that was found earlier in this boot is remembered.
    const other = world.another("other");
    world.ok("save", "-o", join(world.folder, "busybox.tar"), "busybox");
    expect(world.tare(["load", "-i", join(world.folder, "busybox.tar")], { env: other }).code).toBe(0);
    for (const env of [{}, other]) {
      const result = isolated(world, ["sh", "-c", hide, "sh", PROGRAM, "run", "--rm", "busybox", "true"], env);
      expectError(result, 125, "E_NO_RUNTIME", /runc.*tare system install/s);
    }
    expectError(
      run("build", world.files("step", { Dockerfile: "FROM busybox\nRUN true\n" })),
      1,
      "E_NO_RUNTIME",
      /runc/,
    );
  });

  it("when an ordinary user may not use the store", () => {
    fs.chmodSync(world.folder, 0o755);
    const user = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "env", "HOME=/", PROGRAM];
    // The first command that needs a namespace says that this user has no lent ids.
    command(world, [...user, "volume", "ls"]);
    for (const args of [["images"], ["build", join(world.folder, "good")], ["ps"]]) {
      expectError(command(world, [...user, ...args]), 1, "E_PERMISSION", /permission denied.*sudo/s);
    }
    expectError(command(world, [...user, "run", "busybox"]), 125, "E_PERMISSION", /permission denied.*sudo/s);
    endHolder(65534);
  });
});

describe.skipIf(reason !== undefined)("a full disk", () => {
  let world: ProgramWorld;
  beforeAll(() => {
    world = openProgramWorld("full");
    fs.mkdirSync(world.root);
    spawnSync("mount", ["-t", "tmpfs", "-o", "size=12m", "tmpfs", world.root]);
    addBusyboxImage(world);
  });
  afterAll(() => {
    spawnSync("umount", [world.root]);
    world.close();
  });

  it.each([
    ["COPY", "COPY big /\n"],
    ["RUN", "RUN head -c 20000000 /dev/zero > /big\n"],
  ])("stops %s, leaves nothing half-made, and prune and a small build work", (name, line) => {
    const big = Buffer.alloc(20_000_000, name);
    const folder = world.files(name, { Dockerfile: `FROM busybox\n${line}`, big });
    const { code, out, err } = world.tare(["build", "-t", "big", folder]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    if (name === "COPY") expect(err).toMatch(/^error\[E_NOSPACE\]: .*\nhint: .*prune/ms);
    else expect(err).toMatch(/^error\[E_RUN_FAILED\]: .*^hint: the store's disk is full.*prune/ms);
    expect(fs.readdirSync(join(world.root, "v1/tmp"))).toEqual([]);
    expect(world.ok("images", "-q", "big")).toBe("");
    world.ok("system", "prune", "-f");
    const small = world.files("small", { Dockerfile: "FROM busybox\nCOPY file /\nCMD cat /file\n", file: name });
    world.ok("build", "-t", "small", small);
    expect(world.ok("run", "--rm", "small")).toBe(name);
    expect(world.ok("system", "fsck")).toBe("The store is sound.");
  });

  it("that is full to the last byte still lets prune and rmi work", () => {
    const filler = join(world.root, "filler");
    spawnSync("dd", ["if=/dev/zero", `of=${filler}`, "bs=64k"]);
    expectError(world.tare(["run", "--rm", "busybox", "true"]), 125, "E_NOSPACE", /prune/);
    world.ok("rmi", "small");
    world.ok("system", "prune", "-af");
    fs.rmSync(filler);
    expect(world.ok("images", "-q")).toBe("");
    expect(world.ok("system", "fsck")).toBe("The store is sound.");
  });
});

describe.skipIf(reason !== undefined)("exit codes and signals", () => {
  let world: ProgramWorld;
  let leftovers: Leftovers;
  beforeAll(() => {
    world = openProgramWorld("exit");
    addBusyboxImage(world);
    leftovers = new Leftovers(world, "tare-exit-marker");
  });
  afterAll(() => world.close());

  it.each([0, 1, 42, 125, 126, 127, 255])("the program's own exit code %d is ours", (code) => {
    expect(world.tare(["run", "--rm", "busybox", "sh", "-c", `exit ${code}`]).code).toBe(code);
  });

  it.each([
    ["SIGTERM", ["--init"], "sleep 30", 143],
    ["SIGINT", ["--init"], "sleep 30", 130],
    ["SIGTERM", [], "trap 'exit 7' TERM; echo ready; while :; do sleep 0.1; done", 7],
    ["SIGHUP", ["-e", "M=tare-exit-marker"], "trap 'exit 8' HUP; while :; do sleep 0.1; done", 8],
  ] as const)("%s to `run %j` reaches the program", async (signal, flags, script, code) => {
    const child = world.start(["run", "--rm", ...flags, "busybox", "sh", "-c", script]);
    const ended = new Promise((resolve) => child.once("exit", resolve));
    while (world.ok("ps", "-q", "--filter", "status=running") === "") await sleep(50);
    await sleep(200);
    child.kill(signal);
    expect(await ended).toBe(code);
    expect(world.ok("ps", "-aq")).toBe("");
  });

  it("Ctrl-C ends a build with 130 and leaves nothing", async () => {
    const folder = world.files("slow", { Dockerfile: "FROM busybox\nRUN echo tare-exit-marker; sleep 30\n" });
    const child = world.start(["build", "--progress", "plain", folder], { stdio: ["ignore", "ignore", "pipe"] });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    let err = "";
    child.stderr?.on("data", (data: Buffer) => (err += data.toString()));
    while (!/^#2 [\d.]+ tare-exit-marker/m.test(err)) await sleep(20);
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    expect(err).toMatch(/interrupted\n$/);
    expect(err).not.toContain("error[");
    expect(await leftovers.after()).toEqual([]);
  });

  it.each([
    ["a closed standard input", `"$0" run --rm -i busybox cat <&-; echo $?`, "0\n"],
    ["a closed standard output", `"$0" run --rm busybox echo x >&-; echo $?`, /^[01]\n$/],
    ["a reader of logs that leaves", `"$0" logs lines | head -1; echo \${PIPESTATUS[0]}`, /^line 1\n(0|141)\n$/],
    ["a reader of run that leaves", `"$0" run --rm busybox yes | head -1; echo \${PIPESTATUS[0]}`, /^y\n(1|141)\n$/],
    ["a reader of images that leaves", `"$0" images | true; echo \${PIPESTATUS[0]}`, /^(0|141)\n$/],
    ["a reader of save that leaves", `"$0" save busybox | head -c 0; echo \${PIPESTATUS[0]}`, /^(0|1|141)\n$/],
    ["a Dockerfile from a pipe", `"$0" build -q -t piped -f <(echo FROM busybox) . && echo $?`, /^sha256:.*\n0\n$/],
  ])("%s is no crash", (_name, script, expected) => {
    if (script.includes("lines")) {
      world.ok("run", "-d", "--name", "lines", "busybox", "sh", "-c", "yes line 1 | head -n 100000");
      world.ok("wait", "lines");
    }
    const { out, err } = command(world, ["bash", "-c", script, PROGRAM]);
    if (typeof expected === "string") expect(out).toBe(expected);
    else expect(out).toMatch(expected);
    expect(err).not.toMatch(/^\s+at |error\[BUG\]/m);
  });
});

/** Exactly one error and one hint, on the standard error, without a stack. */
function expectError({ code, out, err }: Outcome, exit: number, name: string, text: RegExp): void {
  const found = [...err.matchAll(/^error\[(\w+)\]: \S/gm)].map((match) => match[1]);
  expect({ code, out, found }, err).toEqual({ code: exit, out: "", found: [name] });
  expect(err).toMatch(text);
  expect(err.match(/^hint: \S/gm), err).toHaveLength(1);
  expect(err).not.toMatch(/^\s+at /m);
}

function command(world: ProgramWorld, words: readonly string[], env: Readonly<Record<string, string>> = {}): Outcome {
  const [program = "", ...args] = words;
  const options = { env: { ...world.env, ...env }, cwd: world.folder, encoding: "utf8" as const };
  const { status, stdout, stderr } = spawnSync(program, args, options);
  return { code: status ?? 128, out: stdout, err: stderr };
}

function isolated(world: ProgramWorld, words: readonly string[], env: Readonly<Record<string, string>> = {}): Outcome {
  return command(world, ["unshare", "--mount", "--propagation", "private", ...words], env);
}
