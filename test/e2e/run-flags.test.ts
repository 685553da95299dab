// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { whyNoBusybox } from "../support/bases.ts";
import { PROGRAM, addBusyboxImage, openProgramWorld } from "../support/program.ts";
import type { Outcome, ProgramWorld } from "../support/program.ts";

const reason = whyNoBusybox();
if (reason !== undefined) console.log(`skipped: the flags of run: ${reason}`);

/** What the program in the container prints: flags, script, expected. `{}` is the test's folder. */
const FLAGS: Readonly<Record<string, readonly [flags: string, script: string, expected: string | RegExp]>> = {
  "-e": ["-e A=1 -e B -e IMG=over", "echo $A-$B-$IMG", "1-here-over"],
  "--env-file, before -e": ["-e TWO=2 --env-file {}/env", "echo $ONE-$TWO-$B-$QUOTED", '1-2-here-"q"'],
  "-w": ["-w /tmp/new", "pwd", "/tmp/new"],
  "-u by name": ["-u www-data", "id -u; id -g", "33\n33"],
  "-u by numbers": ["-u 12:34", "id -u; id -g", "12\n34"],
  "--group-add": ["-u 12 --group-add users", "id -G", /\b100\b/],
  "-v of a folder": ["-v {}/bound:/mnt", "cat /mnt/file; touch /mnt/made && echo made", "bound\nmade"],
  "-v read-only": ["-v {}/bound:/mnt:ro", "touch /mnt/x; cat /mnt/file", /bound$/],
  "-v relative": ["-v ./bound:/mnt", "cat /mnt/file", "bound"],
  "-v of a file": ["-v {}/bound/file:/etc/motd", "cat /etc/motd", "bound"],
  "--mount bind": ["--mount type=bind,source={}/bound,target=/mnt,readonly", "cat /mnt/file", "bound"],
  "--mount tmpfs": ["--mount type=tmpfs,target=/mnt,tmpfs-size=1m", "df -k /mnt | tail -1", /\b1024\b/],
  "--tmpfs": ["--tmpfs /scratch:size=2m", "df -k /scratch | tail -1", /\b2048\b/],
  "--read-only": [
    "--read-only --tmpfs /tmp",
    "touch /x; touch /tmp/x && echo tmp",
    /Read-only file system\n*tmp$|^tmp$/,
  ],
  "--entrypoint": ["--entrypoint /bin/echo", "IMAGE only", "-c IMAGE only"],
  "--hostname": ["--hostname box", "hostname; grep -c box /etc/hosts", "box\n1"],
  "--add-host": ["--add-host db:10.1.2.3", "grep 10.1.2.3 /etc/hosts", /^10\.1\.2\.3\s+db$/],
  "--init": ["--init", "cat /proc/1/comm", /init|tini|catatonit/],
  "--network none": ["--network none", "ls /sys/class/net", "lo"],
  "--network host": ["--network host", "readlink /proc/self/ns/net", fs.readlinkSync("/proc/self/ns/net")],
  "--shm-size": ["--shm-size 8m", "df -k /dev/shm | tail -1", /\b8192\b/],
  "--ulimit": ["--ulimit nofile=77:88", "ulimit -n; ulimit -Hn", "77\n88"],
  "no capabilities of danger by default": ["", "grep CapBnd /proc/self/status", /CapBnd:\s+00000000[0-9a-f]{8}/],
  "--cap-drop": ["--cap-drop ALL", "grep CapBnd /proc/self/status", /0{16}/],
  "--cap-add": ["--cap-drop ALL --cap-add SYS_ADMIN", "grep CapBnd /proc/self/status", /0000000000200000/],
  "no-new-privileges by default": ["", "grep NoNewPrivs /proc/self/status", /1/],
  "--security-opt no-new-privileges:false": [
    "--security-opt no-new-privileges:false",
    "grep NoNewPrivs /proc/self/status",
    /0/,
  ],
  "seccomp by default": ["", "grep Seccomp: /proc/self/status", /2/],
  "--security-opt seccomp=unconfined": ["--security-opt seccomp=unconfined", "grep Seccomp: /proc/self/status", /0/],
  "--device": ["--device /dev/kmsg:/dev/log0", "stat -c %t,%T /dev/log0; ls /dev", /^1,b\n/],
  "only the usual devices": ["", "ls /dev", /^(?!.*kmsg)(?=.*null)/s],
  "--pid host": ["--pid host", "ls /proc | grep -c '^[0-9]'", /^\d{2,}$/],
  "--sysctl": ["--network none --sysctl net.core.somaxconn=99", "cat /proc/sys/net/core/somaxconn", "99"],
};

describe.skipIf(reason !== undefined)("tare run", () => {
  let world: ProgramWorld;
  beforeAll(() => {
    world = openProgramWorld("flags");
    addBusyboxImage(world, 'ENV IMG=image\nENTRYPOINT ["/bin/sh"]\nCMD ["-c", "echo image"]');
    world.files("", { env: '# comment\nONE=1\nTWO=file\nB\nQUOTED="q"\n', "bound/file": "bound\n" });
  });
  afterEach(() => {
    const ids = world.ok("ps", "-aq").split("\n").filter(Boolean);
    if (ids.length > 0) world.ok("rm", "-f", ...ids);
  });
  afterAll(() => world.close());

  const run = (words: string, script?: string): Outcome => {
    const flags = words.replaceAll("{}", world.folder).split(" ").filter(Boolean);
    const args = ["run", "--rm", ...flags, "busybox", ...(script === undefined ? [] : ["-c", script])];
    return world.tare(args, { env: { B: "here" }, cwd: world.folder });
  };

  it.each(Object.entries(FLAGS))("%s", (_name, [flags, script, expected]) => {
    const { code, out, err } = run(flags, script);
    expect(code, err).toBe(0);
    if (typeof expected === "string") expect(out.trimEnd()).toBe(expected);
    else expect(out.trimEnd() || err).toMatch(expected);
  });

  it("the image's command without words", () => {
    expect(run("").out).toBe("image\n");
  });

  it("limits that the kernel sees", () => {
    world.ok(
      "run",
      "-d",
      "--name",
      "limited",
      "-m",
      "64m",
      "--cpus",
      "0.5",
      "--pids-limit",
      "33",
      "busybox",
      "-c",
      "sleep 100",
    );
    const pid = world.ok("inspect", "--format", "{{.State.Pid}}", "limited");
    const seen = limitsOf(Number(pid));
    expect(seen).toEqual({ memory: String(64 * 1024 * 1024), cpus: 0.5, pids: "33" });
    expect(world.ok("inspect", "--format", "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}", "limited")).toBe(
      "67108864 500000000",
    );
  });

  it("says that memory ran out", () => {
    const { code } = world.tare([
      "run",
      "--name",
      "hungry",
      "-m",
      "16m",
      "--memory-swap",
      "16m",
      "busybox",
      "-c",
      "tail /dev/zero",
    ]);
    expect(code).toBe(137);
    expect(world.ok("inspect", "--format", "{{.State.OOMKilled}}", "hungry")).toBe("true");
  });

  it("labels, --cidfile, --stop-signal and the life of a container", async () => {
    const cid = join(world.folder, "cid");
    const script = "trap 'echo got; exit 4' USR1; echo up; while :; do sleep 0.1; done";
    const flags = ["--name", "life", "-l", "a=b", "--cidfile", cid, "--stop-signal", "USR1"];
    const id = world.ok("run", "-d", ...flags, "busybox", "-c", script);
    expect(fs.readFileSync(cid, "utf8")).toBe(id);
    expect(world.ok("ps", "-q", "--no-trunc", "--filter", "label=a=b")).toBe(id);
    expect(world.ok("ps")).toMatch(
      /^CONTAINER ID.*\n[0-9a-f]{12}\s+busybox\s+"\/bin\/sh -c 'trap '.*…" .* Up .*life$/m,
    );
    const follow = world.tareAsync(["logs", "-f", "life"]);
    const wait = world.tareAsync(["wait", "life"]);
    await sleep(300);
    expect(world.ok("exec", "-e", "X=1", "-w", "/tmp", "-u", "33", "life", "sh", "-c", "echo $X $(pwd) $(id -u)")).toBe(
      "1 /tmp 33",
    );
    expect(world.tare(["exec", "life", "sh", "-c", "exit 9"]).code).toBe(9);
    expect(world.tare(["exec", "life", "nope"]).code).toBe(127);
    expect(world.tare(["exec", "-i", "life", "cat"], { input: "through\n" }).out).toBe("through\n");
    expect(world.ok("stop", "life")).toBe("life");
    expect(await wait).toMatchObject({ code: 0, out: "4\n" });
    expect(await follow).toMatchObject({ code: 0, out: "up\ngot\n" });
    expect(world.ok("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", "life")).toBe("exited 4");
    expect(world.ok("ps", "-a", "--format", "{{.Names}} {{.Status}}")).toMatch(/^life Exited \(4\)/);
    world.ok("start", "life");
    expect(world.tare(["rm", "life"])).toMatchObject({ code: 1, out: "" });
    expect(world.ok("kill", "-s", "KILL", "life")).toBe("life");
    expect(world.ok("wait", "life")).toBe("137");
    expect(world.ok("logs", "--tail", "1", "life")).toBe("up");
    expect(world.ok("rm", "life")).toBe("life");
  });

  it("a volume keeps what was written, -i passes input, and -v takes a name", () => {
    expect(run("-v keep:/data", "echo kept > /data/x").code).toBe(0);
    expect(run("-v keep:/data", "cat /data/x").out).toBe("kept\n");
    const piped = world.tare(["run", "--rm", "-i", "busybox", "-c", "tr a-z A-Z"], { input: "shout\n" });
    expect(piped.out).toBe("SHOUT\n");
  });

  it("a terminal: size, exit code, Ctrl-C, and exec -it", () => {
    const typed = inTerminal(
      world,
      [PROGRAM, "run", "--rm", "-it", "busybox", "-i"],
      "stty size; tty; echo do''ne; exit 5\n",
    );
    expect(typed).toMatchObject({ code: 5 });
    expect(typed.out).toMatch(/33 111\r\n\/dev\/(pts\/0|console)\r\ndone\r\n/);
    const interrupted = inTerminal(
      world,
      [PROGRAM, "run", "--rm", "-it", "busybox", "-c", "trap 'echo got; exit 3' INT; while :; do sleep 0.1; done"],
      "\u0003",
    );
    expect(interrupted).toMatchObject({ code: 3 });
    world.ok("run", "-d", "--name", "shell", "busybox", "-c", "sleep 100");
    const exec = inTerminal(world, [PROGRAM, "exec", "-it", "shell", "sh"], "tty; echo in''side; exit 6\n");
    expect(exec).toMatchObject({ code: 6 });
    expect(exec.out).toMatch(/\/dev\/(pts\/\d|console)\r\ninside/);
  });

  it("-t without a terminal is refused for -i, and works without", () => {
    expect(run("-it", "true").err).toMatch(/^error\[E_USAGE\]: the input device is not a terminal\n.*^hint: /ms);
    expect(run("-t", "echo out; echo err >&2; test -t 0 && test -t 1; exit $?")).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^out\r?\nerr\r?\n$/),
    });
    world.ok("run", "-d", "--name", "shell", "busybox", "-c", "sleep 100");
    expect(world.tare(["exec", "-t", "shell", "sh", "-c", "echo x; exit 3"])).toMatchObject({
      code: 3,
      out: expect.stringMatching(/^x\r?\n$/),
    });
  });
});

/** Runs a program in a terminal of 33 rows and 111 columns and types text once it has printed something. */
function inTerminal(world: ProgramWorld, words: readonly string[], text: string): Outcome {
  const driver = `
import os, pty, sys, fcntl, termios, struct, time, select
pid, fd = pty.fork()
if pid == 0:
    time.sleep(0.1); os.execvp(sys.argv[2], sys.argv[2:])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 111, 0, 0))
time.sleep(1.2); os.write(fd, sys.argv[1].encode())
end = time.time() + 20
while time.time() < end:
    try: data = os.read(fd, 4096)
    except OSError: break
    if not data: break
    sys.stdout.buffer.write(data); sys.stdout.flush()
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status))
`;
  const { status, stdout, stderr } = spawnSync("python3", ["-c", driver, text, ...words], {
    env: world.env,
    cwd: world.folder,
    encoding: "utf8",
  });
  return { code: status ?? 128, out: stdout, err: stderr };
}

/** What a process's control groups limit, of version 1 or 2. */
function limitsOf(pid: number): Readonly<Record<string, unknown>> {
  const groups = fs
    .readFileSync(`/proc/${pid}/cgroup`, "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(":"));
  const mounts = fs.readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const read = (controller: string, v1: string, v2: string): string => {
    const own = groups.find(([, names]) => names?.split(",").includes(controller));
    const folder = own === undefined ? "/sys/fs/cgroup" : `/sys/fs/cgroup/${own[1] ?? ""}`;
    const base = mounts.some((line) => line.includes(` ${folder} `)) ? folder : `/sys/fs/cgroup/${controller}`;
    const path = own?.[2] ?? groups.find(([number]) => number === "0")?.[2] ?? "";
    return fs
      .readFileSync(join(own === undefined ? "/sys/fs/cgroup" : base, path, own === undefined ? v2 : v1), "utf8")
      .trim();
  };
  const [quota = "", period] = `${read("cpu", "cpu.cfs_quota_us", "cpu.max")} 100000`.split(" ");
  return {
    memory: read("memory", "memory.limit_in_bytes", "memory.max"),
    cpus: Number(quota) / Number(period),
    pids: read("pids", "pids.max", "pids.max"),
  };
}
