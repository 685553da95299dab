// SPDX-License-Identifier: Apache-2.0
/* Everything that an ordinary user does, as one of this host with lent ids, and once as one without. */
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { fakeNvidiaRoot } from "../support/fake-driver-root.ts";
import { makeOrdinaryUser, whyNoOrdinaryUser } from "../support/ordinary-user.ts";
import { addBusyboxImage, openProgramWorld } from "../support/program.ts";
import { whyNoBusybox } from "../support/bases.ts";
import type { OrdinaryUser } from "../support/ordinary-user.ts";
import type { ProgramWorld } from "../support/program.ts";

const reason = whyNoOrdinaryUser() ?? whyNoBusybox();
if (reason !== undefined) console.log(`skipped: containers of an ordinary user: ${reason}`);

const DOCKERFILE = `FROM busybox
RUN adduser -D -u 1000 app && mkdir /app && chown app /app && rm -rf /var/spool && mkdir -p /var/spool
COPY --chown=1000:1000 src /app
USER app
RUN touch /app/made && test "$(stat -c %u /app/made)" = 1000
CMD ["sh", "-c", "id -u; stat -c '%u %n' /app/*"]
`;

let world: ProgramWorld;
let user: OrdinaryUser;
let archive = "";

function project(who: OrdinaryUser): string {
  const folder = join(who.home, "project");
  fs.mkdirSync(join(folder, "src"), { recursive: true });
  fs.writeFileSync(join(folder, "Dockerfile"), DOCKERFILE);
  fs.writeFileSync(join(folder, "src/a"), "from the context\n");
  for (const path of ["", "Dockerfile", "src", "src/a"]) fs.chownSync(join(folder, path), who.uid, 100);
  return folder;
}

/** How many pasta processes of the user there are. */
function pastas(): number {
  const run = join(user.home, "../run");
  return user
    .sh("ps -eo args")
    .out.split("\n")
    .filter((line) => line.startsWith("pasta") && line.includes(run)).length;
}

describe.skipIf(reason !== undefined)("an ordinary user with lent ids", () => {
  beforeAll(() => {
    world = openProgramWorld("rootless");
    addBusyboxImage(world);
    archive = join(world.folder, "busybox.tar");
    world.ok("save", "-o", archive, "busybox");
    fs.chmodSync(world.folder, 0o755);
    user = makeOrdinaryUser();
    user.ok("load", "-q", "-i", archive);
  });

  afterAll(() => {
    user?.close();
    world?.close();
  });

  it("builds the same image as root, with owners, RUN as another user and deleted folders", () => {
    const folder = project(user);
    user.ok("build", "-q", "-t", "made", folder);
    expect(user.ok("run", "--rm", "made")).toBe("1000\n1000 /app/a\n1000 /app/made");
    user.ok("save", "-o", join(user.home, "made.tar"), "made");
    world.ok("load", "-q", "-i", join(user.home, "made.tar"));
    expect(world.ok("run", "--rm", "made")).toBe("1000\n1000 /app/a\n1000 /app/made");
    expect(user.ok("system", "fsck")).toContain("sound");
  });

  it("gives a container GPUs: the host's nodes, and the driver's files", () => {
    const driver = join(user.home, "driver");
    fakeNvidiaRoot(driver, { nodes: "reachable" });
    const env = { NVIDIA_DRIVER_ROOT: driver };
    const script =
      "nvidia-smi -L; stat -c '%u %F' /dev/nvidia0; ls /usr/local/nvidia/lib64/libcuda.so.1; echo x > /dev/nvidia0";
    for (const flags of [[], ["--user", "1000"]]) {
      const { out, err } = user.tare(["run", "--rm", "--gpus", "all", ...flags, "busybox", "sh", "-c", script], {
        env,
      });
      expect(out.trim().split("\n")).toEqual([
        expect.stringMatching(/^GPU 0: NVIDIA A100/),
        // Nobody of the namespace owns what root of the host does.
        "65534 character special file",
        "/usr/local/nvidia/lib64/libcuda.so.1",
      ]);
      expect(err).toMatch(/No space left on device/);
    }
  });

  it("has devices by CDI name from his own folder, bound and not made", () => {
    const folder = join(user.home, ".config/cdi");
    fs.mkdirSync(folder, { recursive: true });
    const edits = {
      env: ["GPU=1"],
      deviceNodes: [{ path: "/dev/gpu0", hostPath: "/dev/full" }],
      mounts: [{ hostPath: "/etc/hostname", containerPath: "/opt/gpu/file", options: ["bind", "ro"] }],
      additionalGids: [44, 4_000_000],
    };
    const spec = { cdiVersion: "0.7.0", kind: "example.com/gpu", devices: [{ name: "0", containerEdits: edits }] };
    fs.writeFileSync(join(folder, "gpu.json"), JSON.stringify(spec), { mode: 0o644 });
    expect(user.ok("gpu", "cdi", "ls", "-q")).toBe("example.com/gpu=0");
    const see = "echo $GPU; id -G; ls /opt/gpu; echo x > /dev/gpu0";
    const { out, err } = user.tare(["run", "--rm", "--device", "example.com/gpu=0", "busybox", "sh", "-c", see]);
    expect(out).toBe("1\n0 10 44\nfile\n");
    expect(err).toMatch(/No space left on device/);
    const context = join(user.home, "device");
    fs.mkdirSync(context);
    const step = "RUN --device=example.com/gpu=0 ls /opt/gpu && ! echo x > /dev/gpu0";
    fs.writeFileSync(join(context, "Dockerfile"), `FROM busybox\n${step}\nRUN ! ls /opt/gpu\n`);
    user.ok("build", "-q", "--allow", "device", context);
    fs.rmSync(folder, { recursive: true });
  });

  it("runs, enters, lists, stops and removes a container", () => {
    const loop = 'trap "exit 3" TERM; echo up; while :; do sleep 0.05; done';
    user.ok("run", "-d", "--name", "life", "-v", "data:/data", "busybox", "sh", "-c", loop);
    expect(user.ok("exec", "life", "sh", "-c", "id -u; echo kept > /data/x; chown 5:5 /data/x")).toBe("0");
    expect(user.ok("exec", "-u", "1000", "life", "id", "-u")).toBe("1000");
    expect(user.ok("top", "life")).toContain("sleep 0.05");
    expect(user.ok("debug", "-c", "cat /data/x; id -u", "life")).toBe("kept\n0");
    expect(user.ok("debug", "--image", "busybox", "-c", "cat /target/data/x", "life")).toBe("kept");
    user.ok("run", "-d", "--name", "shared", "--network", "host", "busybox", "sleep", "600");
    expect(user.ok("debug", "-c", "id -u", "shared")).toBe("0");
    user.ok("rm", "-f", "shared");
    expect(user.ok("logs", "life")).toBe("up");
    expect(user.ok("ps", "--format", "{{.Names}} {{.State}}")).toBe("life running");
    user.ok("pause", "life");
    expect(user.ok("ps", "--format", "{{.Names}} {{.State}}")).toBe("life paused");
    expect(user.sh("ps -eo stat,args").out).toMatch(/^T.*trap "exit 3" TERM/m);
    user.ok("unpause", "life");
    user.ok("commit", "life", "kept:1");
    user.ok("stop", "life");
    expect(user.ok("inspect", "--format", "{{.State.ExitCode}}", "life")).toBe("3");
    expect(user.tare(["export", "life"]).out.length).toBeGreaterThan(100_000);
    user.ok("rm", "life");
    expect(user.ok("run", "--rm", "-v", "data:/data", "busybox", "stat", "-c", "%u", "/data/x")).toBe("5");
    user.ok("volume", "rm", "-f", "data");
    expect(user.ok("ps", "-aq")).toBe("");
  });

  it("copies files, commits, counts and limits", () => {
    user.ok("run", "-d", "--name", "files", "-v", "box:/data", "busybox", "sleep", "600");
    const source = join(project(user), "src");
    for (const target of ["files:/opt", "files:/data"]) user.ok("cp", source, target);
    user.ok("exec", "files", "sh", "-c", "rm -r /var/www; chown 1000:1000 /opt/src/a");
    user.ok("cp", "files:/opt/src", join(user.home, "out"));
    const copied = fs.statSync(join(user.home, "out/a"));
    expect([copied.uid, fs.readFileSync(join(user.home, "out/a"), "utf8")]).toEqual([user.uid, "from the context\n"]);
    const { err } = user.tare(["commit", "files", "files:2"]);
    if (err !== "") expect(err).toMatch(/no control groups\n.*`--pause=false`/);
    user.ok("commit", "--pause=false", "files", "files:2");
    const look = "stat -c %u /opt/src/a; ls -d /var/www || ls /data";
    expect(user.tare(["run", "--rm", "-v", "box:/data", "files:2", "sh", "-c", look]).out).toBe("1000\nsrc\n");
    expect(user.ok("stats", "--no-stream", "--format", "{{.Name}}")).toBe("files");
    user.ok("stop", "-t", "0", "files");
    user.ok("cp", source, "files:/data/stopped");
    user.ok("cp", "files:/data/stopped/a", join(user.home, "again"));
    user.ok("rm", "files");
    expect(user.ok("run", "--rm", "-v", "box:/data", "busybox", "ls", "/data")).toBe("src\nstopped");
    user.ok("volume", "rm", "-f", "box");
    user.ok("rmi", "files:2");
  });

  it("writes into a mounted folder as himself", () => {
    const folder = join(user.home, "project");
    user.ok("run", "--rm", "-v", `${folder}:/p`, "busybox", "sh", "-c", "echo x > /p/result");
    expect(fs.statSync(join(folder, "result")).uid).toBe(user.uid);
    // A number of which no image knows a group: its group is the container's 0.
    user.ok("run", "--rm", "-u", String(user.uid), "-v", `${folder}:/p`, "busybox", "touch", "/p/by-number");
    expect(fs.statSync(join(folder, "by-number")).uid).toBe(user.uid);
  });

  it("lets an image's own user write into a mounted folder as himself too", () => {
    const folder = join(user.home, "project");
    const words = "id -u; echo x > /p/by-app && echo y > /app/more && stat -c %u /p/by-app /app/a";
    expect(user.ok("run", "--rm", "-v", `${folder}:/p`, "made", "sh", "-c", words)).toBe("1000\n1000\n1000");
    expect(fs.statSync(join(folder, "by-app")).uid).toBe(user.uid);
    const shared = ["run", "--rm", "--userns", "host", "-v", `${folder}:/p`, "made", "sh", "-c", "echo x > /p/no"];
    expect(user.tare(shared)).toMatchObject({ code: 1, err: expect.stringContaining("--userns keep-id") });
    user.ok("run", "-d", "--name", "named", "--userns", "keep-id", "-v", "own:/v", "made", "sleep", "100");
    expect(user.ok("exec", "named", "sh", "-c", "touch /v/x && stat -c %u /v/x")).toBe("1000");
    user.ok("rm", "-f", "named");
  });

  it("has a network of its own and published ports, and nothing of them afterwards", async () => {
    const serve = "mkdir /w && echo hello > /w/index.html && exec httpd -f -p 80 -h /w";
    user.ok("run", "-d", "--name", "web", "-p", "127.0.0.1::80", "busybox", "sh", "-c", serve);
    const port = user.ok("port", "web", "80").split(":")[1] ?? "";
    const page = async (): Promise<string> => (await fetch(`http://127.0.0.1:${port}/`)).text();
    await eventually(page).toBe("hello\n");
    expect(user.ok("exec", "web", "ls", "/sys/class/net").split("\n")).toEqual(["eth0", "lo"]);
    expect(pastas()).toBe(1);
    expect(user.tare(["run", "--rm", "-p", "127.0.0.1:81:80", "busybox", "true"])).toMatchObject({
      code: 125,
      err: expect.stringContaining("root's"),
    });
    user.ok("rm", "-f", "web");
    await eventually(pastas).toBe(0);
  });

  it("gives a user that the image does not know a name and a home", () => {
    const words = [
      "run",
      "--rm",
      "-u",
      "12345",
      "busybox",
      "sh",
      "-c",
      "whoami; echo $HOME; echo x > $HOME/x && cat $HOME/x",
    ];
    expect(user.ok(...words)).toBe("12345\n/home/tare\nx");
    expect(user.ok("run", "--rm", "-u", "12345", "-e", "HOME=/w", "busybox", "sh", "-c", "echo $HOME")).toBe("/w");
    const report: unknown = JSON.parse(user.ok("inspect", "--security", "--json", "busybox"));
    expect(report).toMatchObject([{ user: { uid: 0, hostUid: user.uid }, isRootless: true, noNewPrivileges: true }]);
  });

  it("says what it can't give", () => {
    expect(user.tare(["run", "--rm", "-u", "70000", "busybox", "true"])).toMatchObject({
      code: 125,
      err: expect.stringContaining("your ids go up to 65536"),
    });
  });

  it("goes on with the containers that run when the holder of the namespace is killed", () => {
    user.ok("run", "-d", "--name", "kept", "busybox", "sleep", "100");
    const file = join(user.home, "../run/tare/user-namespace");
    const before = fs.readFileSync(file, "utf8").split(" ");
    user.sh(`kill -9 ${before[0] ?? ""}; while [ -e /proc/${before[0] ?? ""}/ns/user ]; do :; done`);
    expect(user.ok("exec", "kept", "echo", "in")).toBe("in");
    const after = fs.readFileSync(file, "utf8").split(" ");
    expect(after[0]).not.toBe(before[0]);
    expect(after[2]).toBe(before[2]);
    user.ok("rm", "-f", "kept");
  });

  it("leaves nothing when all is pruned", () => {
    user.ok("system", "prune", "-a", "-f", "--volumes");
    expect(user.ok("images", "-q")).toBe("");
    const left = user.sh("find ~/.local/share/tare/v1/layers ~/.local/share/tare/v1/containers -mindepth 1 | wc -l");
    expect(left.out.trim()).toBe("0");
  });
});

describe.skipIf(reason !== undefined)("an ordinary user without lent ids", () => {
  let alone: OrdinaryUser;

  beforeAll(() => {
    const made = openProgramWorld("rootless-single");
    addBusyboxImage(made);
    archive = join(made.folder, "busybox.tar");
    made.ok("save", "-o", archive, "busybox");
    fs.chmodSync(made.folder, 0o755);
    alone = makeOrdinaryUser(0);
    world = made;
  });

  afterAll(() => {
    alone?.close();
    world?.close();
  });

  it("is told so once, runs what root runs, and is refused other users with the reason", () => {
    const loaded = alone.tare(["load", "-q", "-i", archive]);
    expect(loaded).toMatchObject({ code: 0, err: expect.stringContaining("root has lent you no ids") });
    expect(alone.tare(["run", "--rm", "busybox", "id", "-u"])).toEqual({ code: 0, out: "0\n", err: "" });
    expect(alone.tare(["run", "--rm", "-u", "1000", "busybox", "id"])).toMatchObject({
      code: 125,
      err: expect.stringContaining("tare system check"),
    });
  });
});
