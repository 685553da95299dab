// SPDX-License-Identifier: Apache-2.0
/* A registry, an index and machines without anything, all in this process but the program itself. */
import { once } from "node:events";
import * as fs from "node:fs";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";
import { digestOf } from "../../src/base/index.ts";
import { FakeRegistry } from "../../src/registry/fixture.ts";
import { openProgramWorld } from "./program.ts";
import type { Outcome, ProgramWorld } from "./program.ts";
import { makeWheel } from "./wheel-fixture.ts";

/** A wheel that the index serves. */
export interface ServedWheel {
  readonly name: string;
  readonly version: string;
  readonly url: string;
  readonly fileName: string;
  readonly sha256: string;
  readonly size: number;
}

/** What a build asked for and sent. */
export interface Traffic {
  readonly outcome: Outcome;
  readonly milliseconds: number;
  /** `GET /file.whl` at the index. */
  readonly index: readonly string[];
  /** `HEAD /v2/…` at the registry. */
  readonly registry: readonly string[];
  /** Bytes that the registry got. */
  readonly sent: number;
}

/** The place of a test. */
export class RemoteWorld {
  readonly registry: FakeRegistry;
  readonly #index: Server;
  readonly #files = new Map<string, Buffer>();
  readonly #asked: string[] = [];
  readonly #machines: ProgramWorld[] = [];
  /** What `push` pushes to. */
  repository = "app";
  #repositories = 0;

  private constructor(registry: FakeRegistry) {
    this.registry = registry;
    this.#index = createServer((request, response) => {
      this.#asked.push(`${request.method ?? ""} ${request.url ?? ""}`);
      const bytes = this.#files.get(basename(request.url ?? ""));
      if (bytes) response.end(bytes);
      else response.writeHead(404).end();
    });
  }

  static async open(): Promise<RemoteWorld> {
    const world = new RemoteWorld(await FakeRegistry.open());
    world.#index.listen(0, "127.0.0.1");
    await once(world.#index, "listening");
    await world.#pushBase();
    return world;
  }

  async close(): Promise<void> {
    for (const machine of this.#machines) machine.close();
    this.#index.closeAllConnections();
    this.#index.close();
    await this.registry.close();
  }

  /** Another repository from now on; its name. */
  newRepository(): string {
    this.#repositories += 1;
    this.repository = `app-${this.#repositories}`;
    return this.repository;
  }

  /** A machine with an empty store. */
  machine(): ProgramWorld {
    const machine = openProgramWorld("remote");
    this.#machines.push(machine);
    return machine;
  }

  /** Makes a wheel and serves it. */
  wheel(name: string, version: string, text = `${name} ${version}\n`): ServedWheel {
    const { fileName, bytes } = makeWheel({ name, version, files: { [`${name}/__init__.py`]: text } });
    this.#files.set(fileName, bytes);
    const { port } = this.#index.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/${fileName}`;
    return { name, version, url, fileName, sha256: digestOf(bytes).slice("sha256:".length), size: bytes.length };
  }

  /** A project on the registry's base with a lock of these wheels. */
  project(machine: ProgramWorld, wheels: readonly ServedWheel[], more = ""): string {
    return machine.files("app", {
      "pyproject.toml": `[project]\nname = "app"\nversion = "1"\n[tool.tare]\nbase = "${this.registry.host}/base:1"\nbytecode = "none"\n`,
      "pylock.toml": `${lockOf(wheels)}${more}`,
      "main.py": "print('hello')\n",
    });
  }

  /** Builds and pushes; what that took. */
  async push(machine: ProgramWorld, folder: string, ...args: readonly string[]): Promise<Traffic> {
    const name = `${this.registry.host}/${this.repository}:1`;
    return this.watch(() => machine.tareAsync(["build", "--push", "-t", name, "--progress", "plain", ...args, folder]));
  }

  /** Counts what a command asks for. */
  async watch(work: () => Promise<Outcome>): Promise<Traffic> {
    this.registry.seen.splice(0);
    this.registry.received = 0;
    this.#asked.splice(0);
    const started = performance.now();
    const outcome = await work();
    const milliseconds = Math.round(performance.now() - started);
    const { received } = this.registry;
    return { outcome, milliseconds, index: [...this.#asked], registry: this.registry.log(), sent: received };
  }

  /** `base:1`: all that is looked at in an image with Python; nothing in it runs. */
  async #pushBase(): Promise<void> {
    const machine = this.machine();
    const context = writeBase(machine, "base");
    const built = await machine.tareAsync(["build", "--push", "-t", `${this.registry.host}/base:1`, context]);
    if (built.code !== 0) throw new Error(built.err);
  }
}

/** The context of an image in which all is there that is looked at in one with Python. */
export function writeBase(machine: ProgramWorld, name: string): string {
  const context = machine.files(name, {
    Dockerfile: "FROM scratch\nCOPY tree /\nENV PATH=/usr/local/bin:/bin\n",
    "tree/usr/local/bin/python3.11": "a program",
    "tree/usr/local/include/python3.11/patchlevel.h": '#define PY_VERSION "3.11.9"\n',
    "tree/usr/local/lib/python3.11/os.py": "",
    "tree/lib/x86_64-linux-gnu/libc.so.6": "GNU C Library (made) stable release version 2.36.\n",
    "tree/etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
    "tree/etc/group": "root:x:0:\n",
    "tree/home/readme": "",
  });
  fs.symlinkSync("python3.11", join(context, "tree/usr/local/bin/python3"));
  return context;
}

/** A lock in PEP 751's format, with all that a build wants to know before it fetches. */
function lockOf(wheels: readonly ServedWheel[]): string {
  const packages = wheels.map(({ name, version, url, fileName, sha256, size }) =>
    [
      "[[packages]]",
      `name = "${name}"`,
      `version = "${version}"`,
      `wheels = [{ name = "${fileName}", url = "${url}", size = ${size}, hashes = { sha256 = "${sha256}" } }]`,
      "",
    ].join("\n"),
  );
  return `lock-version = "1.0"\ncreated-by = "test"\n\n${packages.join("\n")}`;
}
