// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  containerChanges,
  containerLogs,
  containerProcesses,
  createContainer,
  execInContainer,
  exportContainer,
  inspectContainer,
  killContainer,
  listContainers,
  recoverContainers,
  removeContainer,
  removeOrphans,
  runContainer,
  startContainer,
  stopContainer,
  waitContainer,
} from "../../src/containers/index.ts";
import type { CreateRequest, ImageDefaults } from "../../src/containers/index.ts";
import { createRequest as request } from "../../src/containers/fixture.ts";
import { leftovers, makeWorld, whyNotHere } from "./container-world.ts";
import type { World } from "./container-world.ts";

const reason = whyNotHere();
if (reason !== undefined) console.warn(`skipped: ${reason}`);
const ALL = { all: true, last: -1, size: false, filters: {} };

describe.skipIf(reason !== undefined)("containers with a real runtime", () => {
  let world: World;
  beforeAll(async () => {
    world = await makeWorld();
  });
  afterAll(async () => {
    for (const { id } of listContainers(world.context, ALL)) {
      await removeContainer(world.context, id, { force: true, volumes: true });
    }
    world.close();
  });

  /** Runs in the foreground and collects the output. */
  async function run(
    command: readonly string[],
    fields: Partial<CreateRequest> = {},
    defaults?: ImageDefaults,
  ): Promise<{ code: number; out: string; err: string; id: string }> {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const wanted = request({ command, autoRemove: true, ...fields });
    const result = await runContainer(world.context, world.image(defaults), wanted, { stdout, stderr });
    const text = (stream: PassThrough): string => String(stream.read() ?? "");
    return { code: result.exitCode ?? -1, out: text(stdout), err: text(stderr), id: result.id };
  }

  async function logsOf(id: string, stream: 1 | 2 = 1): Promise<string> {
    const parts: Uint8Array[] = [];
    for await (const records of containerLogs(world.context, id, { follow: true })) {
      for (const record of records) if (record.stream === stream) parts.push(record.data);
    }
    return Buffer.concat(parts).toString();
  }

  async function detached(command: readonly string[], fields: Partial<CreateRequest> = {}): Promise<string> {
    const wanted = request({ command, ...fields });
    return (await runContainer(world.context, world.image(), wanted, "detached")).id;
  }

  const stateOf = (id: string): Record<string, unknown> =>
    inspectContainer(world.context, id)["State"] as Record<string, unknown>;

  describe("in the foreground", () => {
    it("passes output and exit code, and leaves nothing with --rm", async () => {
      const result = await run(["sh", "-c", "echo out; echo err >&2; exit 7"]);
      expect(result).toMatchObject({ code: 7, out: "out\n", err: "err\n" });
      expect(await leftoversAfterAWhile(world.root, [result.id])).toEqual([]);
      expect(fs.existsSync(join(world.store.containersRoot, result.id))).toBe(false);
    });

    it.each([
      ["environment", ["sh", "-c", "echo $A-$B-$HOME"], { env: ["A=1"] }, "1-img-/root\n"],
      ["working directory, made when missing", ["pwd"], { workdir: "/new/place" }, "/new/place\n"],
      [
        "user by name with groups",
        ["id"],
        { user: "app" },
        "uid=1000(app) gid=1000(app) groups=1000(app),2000(extra)\n",
      ],
      ["host name", ["hostname"], { hostname: "box" }, "box\n"],
      ["entrypoint", ["-c", "echo $0"], { entrypoint: "sh" }, "sh\n"],
      ["tmpfs", ["sh", "-c", "stat -f -c %T /mnt"], { mounts: [tmpfs("/mnt")] }, "tmpfs\n"],
    ] as readonly (readonly [string, readonly string[], Partial<CreateRequest>, string])[])(
      "honours %s",
      async (_name, command, fields, expected) => {
        expect(await run(command, fields, { Env: ["PATH=/bin", "A=0", "B=img"] })).toMatchObject({
          code: 0,
          out: expected,
        });
      },
    );

    it("copies the image's files into a new volume, and keeps a named one", async () => {
      const mounts = [{ type: "volume", source: "v1", target: "/data", readonly: false, noCopy: false }] as const;
      expect((await run(["cat", "/data/file"], { mounts })).out).toBe("from the image\n");
      await run(["sh", "-c", "echo changed > /data/file"], { mounts });
      expect((await run(["cat", "/data/file"], { mounts })).out).toBe("changed\n");
    });

    it("binds a host folder, makes it when asked, and refuses writing to a read-only one", async () => {
      const source = join(world.root, "bound", "deep");
      const bind = {
        type: "bind",
        source,
        target: "/mnt",
        readonly: false,
        createSource: true,
        recursive: true,
      } as const;
      await run(["touch", "/mnt/made"], { mounts: [bind] });
      expect(fs.existsSync(join(source, "made"))).toBe(true);
      expect((await run(["touch", "/mnt/no"], { mounts: [{ ...bind, readonly: true }] })).code).toBe(1);
      const missing = { ...bind, source: join(world.root, "missing"), createSource: false };
      await expect(run(["true"], { mounts: [missing] })).rejects.toMatchObject({
        code: "E_MOUNT_SOURCE",
      });
    });

    it.each([
      [127, ["nope"]],
      [126, ["/etc"]],
    ])("throws with exit code %d and keeps nothing", async (exitCode, command) => {
      const before = listContainers(world.context, ALL).length;
      await expect(run(command)).rejects.toMatchObject({ exitCode });
      expect(listContainers(world.context, ALL).length).toBe(before);
    });

    it("keeps log and exit code without --rm, can be started again, and is removed", async () => {
      const { id } = await run(["sh", "-c", "echo one; echo two >&2; exit 3"], { autoRemove: false, name: "kept" });
      expect(await logsOf("kept")).toBe("one\n");
      expect(await logsOf("kept", 2)).toBe("two\n");
      expect(stateOf(id)).toMatchObject({ Status: "exited", ExitCode: 3, Running: false });
      await expect(run(["true"], { name: "kept" })).rejects.toMatchObject({ code: "E_NAME_TAKEN" });
      await startContainer(world.context, "kept");
      expect(await waitContainer(world.context, "kept")).toBe(3);
      expect(await logsOf("kept")).toBe("one\none\n");
      await removeContainer(world.context, "kept", { force: false, volumes: true });
      expect(await leftoversAfterAWhile(world.root, [id])).toEqual([]);
    });
  });

  describe("detached", () => {
    it("runs, logs, takes exec, stops by signal, and is cleaned up", async () => {
      const id = await detached(["sh", "-c", "trap 'echo bye; exit 5' TERM; echo hi; while :; do sleep 0.05; done"]);
      expect(stateOf(id)).toMatchObject({ Status: "running", Running: true });
      const io = { stdout: new PassThrough(), stderr: new PassThrough() };
      const inner = { command: ["sh", "-c", "echo $X; exit 9"], env: ["X=in"], interactive: false, tty: false };
      const exec = { ...inner, container: id, detach: false, privileged: false };
      expect(await execInContainer(world.context, exec, io)).toBe(9);
      expect(String(io.stdout.read())).toBe("in\n");
      await expect(removeContainer(world.context, id, { force: false, volumes: false })).rejects.toMatchObject({
        code: "E_CONTAINER_STATE",
      });
      await stopContainer(world.context, id);
      expect(stateOf(id)).toMatchObject({ Status: "exited", ExitCode: 5 });
      expect(await logsOf(id)).toBe("hi\nbye\n");
      await removeContainer(world.context, id, { force: false, volumes: false });
      expect(await leftoversAfterAWhile(world.root, [id])).toEqual([]);
    });

    it("is killed when it does not stop in time, with exit code 137", async () => {
      const id = await detached(["sh", "-c", "trap '' TERM; touch /ready; while :; do sleep 1; done"]);
      // A signal that comes sooner meets the runtime's own program.
      while (!fs.existsSync(`/proc/${Number(stateOf(id)["Pid"])}/root/ready`)) await sleep(10);
      await stopContainer(world.context, id, { timeout: 0 });
      expect(await waitContainer(world.context, id)).toBe(137);
      await expect(killContainer(world.context, id, "TERM")).rejects.toMatchObject({ code: "E_CONTAINER_STATE" });
    });

    it("removes itself with --rm, and wait still gives the exit code", async () => {
      const id = await detached(["sh", "-c", "sleep 0.3; exit 6"], { autoRemove: true });
      expect(await waitContainer(world.context, id)).toBe(6);
      expect(await leftoversAfterAWhile(world.root, [id])).toEqual([]);
      expect(listContainers(world.context, ALL).some((row) => row.id === id)).toBe(false);
    });

    it("is removed by force while it runs", async () => {
      const id = await detached(["sleep", "60"]);
      await removeContainer(world.context, id, { force: true, volumes: true });
      expect(await leftoversAfterAWhile(world.root, [id])).toEqual([]);
      expect(listContainers(world.context, ALL).some((row) => row.id === id)).toBe(false);
    });

    it("fails with 127 when the program is missing", async () => {
      await expect(detached(["nope"], { autoRemove: true })).rejects.toMatchObject({ exitCode: 127 });
    });
  });

  it("exports what the container sees", async () => {
    const { id } = await run(["sh", "-c", "echo x > /new; echo y > /data/file"], { autoRemove: false });
    const chunks: Buffer[] = [];
    await exportContainer(world.context, id, { write: (chunk) => void chunks.push(Buffer.from(chunk)) });
    const file = join(world.root, "export.tar");
    fs.writeFileSync(file, Buffer.concat(chunks));
    const names = Buffer.concat(chunks).toString("latin1");
    expect(names).toContain("bin/busybox");
    expect(names).toContain("y\n");
    expect(names).not.toContain("from the image");
  });

  it("tells what it changed of its image", async () => {
    const script = [
      "echo x > /new",
      "echo y > /data/file",
      "busybox mkdir -p /tmp/deep/er && touch /tmp/deep/er/file",
      "busybox rm /etc/group",
      "busybox rm -r /root && busybox mkdir /root && touch /root/own",
      "busybox chmod 700 /bin",
    ].join(" && ");
    const { id } = await run(["sh", "-c", script], { autoRemove: false }, { Env: ["PATH=/bin"] });
    const lines = containerChanges(world.context, id).map(({ kind, path }) => `${kind} ${path}`);
    expect(lines).toEqual([
      "changed /bin",
      "changed /data/file",
      "changed /etc",
      "deleted /etc/group",
      "added /new",
      "changed /root",
      "added /root/own",
      "changed /tmp",
      "added /tmp/deep",
      "added /tmp/deep/er",
      "added /tmp/deep/er/file",
    ]);
  });

  it("has changed nothing when its program wrote nothing", async () => {
    const { id } = await run(["true"], { autoRemove: false });
    expect(containerChanges(world.context, id)).toEqual([]);
  });

  it("lists its processes, those of this host only where they are its own", async () => {
    const id = await detached(["sh", "-c", "sleep 77 & sleep 78; true"]);
    const commands = async (words: readonly string[]): Promise<readonly string[]> => {
      const { titles, rows } = await containerProcesses(world.context, id, words);
      return rows.map((row) => row[titles.indexOf("CMD")] ?? "").sort();
    };
    while ((await commands(["-ef"])).length < 3) await sleep(20);
    expect(await commands(["-ef"])).toEqual(["sh -c sleep 77 & sleep 78; true", "sleep 77", "sleep 78"]);
    expect(await commands(["-eo", "pid,cmd"])).toEqual(["sh -c sleep 77 & sleep 78; true", "sleep 77", "sleep 78"]);
    await expect(commands(["-eo", "cmd"])).rejects.toMatchObject({ code: "E_USAGE" });
    await expect(commands(["--no-such-option"])).rejects.toMatchObject({ code: "E_PROGRAM_FAILED" });
    await stopContainer(world.context, id, { signal: "KILL" });
    await expect(commands(["-ef"])).rejects.toMatchObject({ code: "E_CONTAINER_STATE" });
  });

  it("a created container starts later", async () => {
    const { id } = await createContainer(world.context, world.image(), request({ command: ["true"], name: "later" }));
    expect(stateOf(id)).toMatchObject({ Status: "created" });
    const io = { stdout: new PassThrough(), stderr: new PassThrough() };
    expect(await startContainer(world.context, "later", io)).toMatchObject({ exitCode: 0 });
  });

  it("a foreground container of another process is listed, stopped and waited for", async () => {
    const diffId = world.store.layers.list()[0]?.diffId ?? "";
    const child = spawnRun(world, [diffId, "foreground"]);
    const ended = new Promise((resolve) => child.once("exit", resolve));
    const running = { ...ALL, all: false };
    while (listContainers(world.context, running).length === 0) await sleep(20);
    const id = listContainers(world.context, running)[0]?.id ?? "";
    const code = waitContainer(world.context, id);
    await stopContainer(world.context, id, { signal: "KILL" });
    expect(await code).toBe(137);
    await ended;
    expect(stateOf(id)).toMatchObject({ Status: "exited", ExitCode: 137 });
    await removeContainer(world.context, id, { force: false, volumes: true });
  });

  it("a detached container that ends at once is cleaned up too", async () => {
    for (let round = 0; round < 5; round += 1) {
      const id = await detached(["true"], { autoRemove: true });
      expect(await leftoversAfterAWhile(world.root, [id])).toEqual([]);
      expect(listContainers(world.context, ALL).some((row) => row.id === id)).toBe(false);
    }
  });

  it.each(["foreground", "foreground-rm", "detached", "detached-rm"])(
    "leaves nothing when it is killed at any moment: %s",
    async (mode) => {
      const diffId = world.store.layers.list()[0]?.diffId ?? "";
      let seen = 0;
      for (let round = 0; round < 6; round += 1) {
        await killAt(world, [diffId, mode], round * 30);
        const ids = fs.readdirSync(world.store.containersRoot);
        seen += ids.length;
        const report = await recoverContainers(world.context);
        expect(report.failed).toEqual([]);
        const ended = listContainers(world.context, ALL).filter((row) => row.state !== "running");
        const still = ended.map((row) => row.id);
        if (still.length > 0) expect(await leftoversAfterAWhile(join(world.root, "nothing"), still)).toEqual([]);
        for (const { id } of listContainers(world.context, ALL)) {
          await removeContainer(world.context, id, { force: true, volumes: true });
        }
        await removeOrphans(world.context);
        expect(await leftoversAfterAWhile(world.root, ids)).toEqual([]);
        expect(fs.readdirSync(world.store.containersRoot)).toEqual([]);
      }
      expect(seen).toBeGreaterThan(0);
    },
  );
});

function tmpfs(target: string): CreateRequest["mounts"][number] {
  return { type: "tmpfs", target, readonly: false, options: [] };
}

/** conmon ends when its exit command has, which is soon after the container is gone. */
async function leftoversAfterAWhile(root: string, ids: readonly string[]): Promise<readonly string[]> {
  for (let tries = 0; tries < 100 && leftovers(root, ids).length > 0; tries += 1) await sleep(50);
  return leftovers(root, ids);
}

function spawnRun(world: World, args: readonly string[]): ChildProcess {
  const program = join(import.meta.dirname, "container-child.ts");
  return spawn(process.execPath, [program, "run", world.root, ...args], { stdio: "ignore" });
}

/** Starts `run` as a process of its own and kills it (not its children) so long after it has begun to make the container. */
async function killAt(world: World, args: readonly string[], milliseconds: number): Promise<void> {
  const child = spawnRun(world, args);
  const ended = new Promise((resolve) => child.once("exit", resolve));
  while (fs.readdirSync(world.store.containersRoot).length === 0) await sleep(1);
  if (milliseconds > 0) await sleep(milliseconds);
  child.kill("SIGKILL");
  await ended;
}
