// SPDX-License-Identifier: Apache-2.0
/* The real program in a place of its own: its store, its temporary folder, and what it leaves on this host. */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess, SpawnOptions } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { settingsOf } from "../../src/engine/settings.ts";
import { stableId } from "../../src/network/stable-id.ts";
import { fillBusybox } from "./bases.ts";

/** `./bin/tare`, made by `npm run build`; TARE_PROGRAM names another one. */
export const PROGRAM: string = process.env["TARE_PROGRAM"] ?? join(import.meta.dirname, "../../bin/tare");

/** How a command ended. `code` is 128 + n after a signal. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** What a command gets besides its words. */
export interface CommandOptions {
  readonly input?: string | Uint8Array;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A store of a test and the program that uses it. */
export interface ProgramWorld {
  readonly folder: string;
  /** TARE_ROOT */
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  /** Runs a command to its end. */
  tare(args: readonly string[], options?: CommandOptions): Outcome;
  /** The same while others run. */
  tareAsync(args: readonly string[], options?: CommandOptions): Promise<Outcome>;
  /** Like `tare`, but throws when it fails; the standard output without its last line feed. */
  ok(...args: readonly string[]): string;
  start(args: readonly string[], options?: SpawnOptions): ChildProcess;
  /** Makes a folder with these files. */
  files(name: string, files: Readonly<Record<string, string | Uint8Array>>): string;
  /** The environment of another store of this world, which starts empty. */
  another(name: string): Readonly<Record<"TARE_ROOT", string>>;
  /** Where this store's run-time files are. */
  runRoot(): string;
  /** Removes containers and everything else. */
  close(): void;
}

/** Opens a world; nothing is started yet. */
export function openProgramWorld(name: string): ProgramWorld {
  // A short path, as sockets are made below it.
  const folder = fs.mkdtempSync(join(tmpdir(), `tare-${name}-`));
  const root = join(folder, "root");
  fs.mkdirSync(join(folder, "tmp"));
  const env = { ...environment(), TARE_ROOT: root, TMPDIR: join(folder, "tmp") };
  // Every store that a command was given: each has run-time files outside of the folder.
  const roots = new Set([root]);
  const place = (options: CommandOptions): SpawnOptions => {
    const { cwd = folder } = options;
    const all = { ...env, ...options.env };
    roots.add(resolve(cwd, all.TARE_ROOT));
    return { env: all, cwd };
  };
  const tare: ProgramWorld["tare"] = (args, options = {}) => {
    const { input = "" } = options;
    const child = spawnSync(PROGRAM, args, { ...place(options), input, maxBuffer: 1 << 28, encoding: "utf8" });
    return { code: child.status ?? 128, out: child.stdout, err: child.stderr };
  };
  const world: ProgramWorld = {
    folder,
    root,
    env,
    tare,
    tareAsync: (args, options = {}) => finish(spawn(PROGRAM, args, place(options)), options.input ?? ""),
    ok: (...args) => {
      const { code, out, err } = tare(args);
      if (code !== 0) throw new Error(`tare ${args.join(" ")}: exit code ${code}\n${err}`);
      return out.replace(/\n$/, "");
    },
    start: (args, options = {}) => spawn(PROGRAM, args, { stdio: "ignore", env, cwd: folder, ...options }),
    files: (sub, files) => writeFiles(join(folder, sub), files),
    another: (other) => {
      const made = join(folder, other);
      roots.add(made);
      return { TARE_ROOT: made };
    },
    runRoot: () => world.ok("info", "--format", "{{.RunRoot}}"),
    close: () => {
      try {
        const ids = world.ok("ps", "-aq").split("\n").filter(Boolean);
        if (ids.length > 0) tare(["rm", "-f", ...ids]);
      } finally {
        // The exit command of a container that has just ended, or a helper of an engine, may still be writing.
        fs.rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 });
        for (const each of roots) removeRunFiles(each);
      }
    },
  };
  return world;
}

/** Removes the run-time files of a store of tests, which are not below it. */
export function removeRunFiles(root: string): void {
  const { runRoot } = settingsOf({ env: process.env, cwd: "/", root });
  if (/\/tare-[0-9a-f]{16}$/.test(runRoot)) fs.rmSync(runRoot, { recursive: true, force: true });
  removeDefaultNetwork(root);
}

/** The bridge and the rules that a store's first container made, and that stay as a Docker Engine's do. */
function removeDefaultNetwork(root: string): void {
  const store = join(root, "v1");
  const bridge = `tare-${stableId(`network bridge of ${store}`).slice(0, 10)}`;
  if (!fs.existsSync(`/sys/class/net/${bridge}`) || process.getuid?.() !== 0) return;
  spawnSync("ip", ["link", "del", bridge]);
  spawnSync("nft", ["delete", "table", "inet", `tare_${stableId(store).slice(0, 8)}`]);
}

/** This process's environment without what the program or the test runner would read. */
function environment(): Record<string, string> {
  const pairs = Object.entries(process.env).filter(([name]) => !/^(TARE_|NODE_|VITEST|SOURCE_DATE|DOCKER_)/.test(name));
  return Object.fromEntries(pairs.map(([name, value]) => [name, value ?? ""]));
}

function finish(child: ChildProcess, input: string | Uint8Array): Promise<Outcome> {
  const [out, err]: Buffer[][] = [[], []];
  child.stdout?.on("data", (data: Buffer) => out?.push(data));
  child.stderr?.on("data", (data: Buffer) => err?.push(data));
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(input);
  const text = (parts: Buffer[] | undefined): string => Buffer.concat(parts ?? []).toString();
  return new Promise((resolve) => {
    child.once("close", (code) => resolve({ code: code ?? 128, out: text(out), err: text(err) }));
  });
}

function writeFiles(folder: string, files: Readonly<Record<string, string | Uint8Array>>): string {
  fs.mkdirSync(folder, { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    fs.mkdirSync(dirname(join(folder, path)), { recursive: true });
    fs.writeFileSync(join(folder, path), content);
  }
  return folder;
}

/** Builds `busybox` from this host's, as a user would from an archive; returns the context's folder. */
export function addBusyboxImage(world: ProgramWorld, config = 'CMD ["sh"]'): string {
  const context = join(world.folder, "busybox");
  const tree = join(context, "tree");
  fs.mkdirSync(tree, { recursive: true });
  fillBusybox(tree);
  const packed = spawnSync("tar", ["-C", tree, "-cf", join(context, "busybox.tar"), "."]);
  if (packed.status !== 0) throw new Error(`packing busybox: ${packed.stderr.toString()}`);
  fs.rmSync(tree, { recursive: true });
  fs.writeFileSync(join(context, "Dockerfile"), `FROM scratch\nADD busybox.tar /\nENV PATH=/bin\n${config}\n`);
  world.ok("build", "-q", "-t", "busybox", context);
  return context;
}
