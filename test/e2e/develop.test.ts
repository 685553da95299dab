// SPDX-License-Identifier: Apache-2.0
/* `run --debug` with a real debugpy, spoken to as an editor does, `run --watch` with real changes, `run --notebook`
 * with a program in the place of Jupyter. */
import type { ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDebugSession } from "../support/dap.ts";
import { openProgramWorld } from "../support/program.ts";
import type { ProgramWorld } from "../support/program.ts";
import { addPythonBase, whyNoPythonBase } from "../support/python-base.ts";
import { uvProgram, whyNoUv } from "../support/uv.ts";
import { startIndex } from "../support/wheel-index.ts";
import type { IndexPeer } from "../support/wheel-index.ts";
import { fetchWheels } from "../support/wheels.ts";
import { whyNotHere } from "./container-world.ts";

const reason = whyNotHere() ?? whyNoPythonBase() ?? whyNoUv();
if (reason !== undefined) console.warn(`skipped: ${reason}`);

const APP = `import sys

def work(n):
    total = n * 2
    return total

print("total", work(len(sys.argv)), flush=True)
`;

interface Started {
  readonly child: ChildProcess;
  out(): string;
  err(): string;
  /** Waits until what was printed fits. */
  until(fits: (printed: string) => boolean): Promise<void>;
  ended(): Promise<number>;
}

describe.skipIf(reason !== undefined)("programs under development", () => {
  let world: ProgramWorld;
  let index: IndexPeer;
  let env: Record<string, string>;
  beforeAll(async () => {
    world = openProgramWorld("develop");
    addPythonBase(world);
    index = await startIndex(await fetchWheels(["debugpy"]));
    env = { ...world.env, ...index.env, TARE_UV: await uvProgram() };
    const dockerfile = 'FROM python:3.11-slim\nWORKDIR /app\nCOPY app.py .\nCMD ["python", "app.py"]\n';
    world.files("app", { Dockerfile: dockerfile, "app.py": APP });
    world.ok("build", "-q", "-t", "app", "app");
  });
  afterAll(async () => {
    await index?.stop();
    world?.close();
  });

  function start(words: readonly string[], cwd = world.folder): Started {
    const child = world.start(words, { stdio: ["ignore", "pipe", "pipe"], env, cwd });
    const printed = { out: "", err: "" };
    child.stdout?.on("data", (data: Buffer) => (printed.out += data.toString()));
    child.stderr?.on("data", (data: Buffer) => (printed.err += data.toString()));
    const gone = new Promise<number>((resolve) => child.once("close", (code) => resolve(code ?? 128)));
    const until: Started["until"] = async (fits) => {
      for (const limit = Date.now() + 60_000; !fits(printed.out + printed.err); await sleep(50)) {
        if (Date.now() > limit || child.exitCode !== null) throw new Error(`${printed.out}${printed.err}`);
      }
    };
    return { child, out: () => printed.out, err: () => printed.err, until, ended: () => gone };
  }

  it("stops at a breakpoint of an editor that attached with the printed entry", async () => {
    const run = start(
      ["run", "--rm", "--debug-wait", "--debug", "app", "python", "app.py", "x"],
      `${world.folder}/app`,
    );
    await run.until((text) => text.includes("others: attach"));
    const entry = JSON.parse(/^ {2}\{$.*?^ {2}\}$/ms.exec(run.err())?.[0] ?? "") as {
      readonly connect: { readonly host: string; readonly port: number };
    };
    const folder = `${world.folder}/app`;
    const session = await openDebugSession(entry.connect.host, entry.connect.port);
    await session.ask("initialize", { adapterID: "debugpy", pathFormat: "path", linesStartAt1: true });
    session.send("attach", JSON.parse(JSON.stringify(entry).replaceAll("${workspaceFolder}", folder)) as object);
    await session.event("initialized");
    const asked = { source: { path: `${folder}/app.py` }, breakpoints: [{ line: 7 }] };
    expect(await session.ask("setBreakpoints", asked)).toMatchObject({ breakpoints: [{ verified: true, line: 7 }] });
    await session.ask("configurationDone");
    const { threadId } = await session.event("stopped");
    expect(run.out()).toBe("");
    const { stackFrames } = await session.ask("stackTrace", { threadId });
    expect(stackFrames).toMatchObject([{ name: "<module>", line: 7, source: { path: `${folder}/app.py` } }]);
    await session.ask("continue", { threadId });
    expect(await run.ended()).toBe(0);
    expect(run.out()).toBe("total 4\n");
    session.close();
  });

  it("leaves the image as it is, needs no index the second time, and runs without an editor", async () => {
    await index.requests();
    const run = start(["run", "--name", "again", "--debug", "app"]);
    expect(await run.ended()).toBe(0);
    expect(run.out()).toBe("total 2\n");
    expect(await index.requests()).toEqual([]);
    expect(world.ok("diff", "again")).not.toMatch(/site-packages|debugpy\//);
    world.ok("rm", "again");
    expect(
      world.ok("run", "--rm", "app", "python", "-c", "import sys; print([p for p in sys.path if 'tare' in p])"),
    ).toBe("[]");
  });

  it.each([
    ["no Python program", ["app", "sleep", "1"], "E_NOT_PYTHON", /`sleep 1` starts no Python program/],
    ["a line for a shell", ["app", "sh", "-c", "cd / && python app.py"], "E_NOT_PYTHON", /a line for a shell/],
    ["no network", ["--network", "none", "app"], "E_USAGE", /nobody can reach/],
  ])("refuses %s", (_name, words, code, says) => {
    const { code: exit, err } = world.tare(["run", "--rm", "--debug", ...words], { env });
    expect([exit, err]).toEqual([125, expect.stringMatching(says)]);
    expect(err).toContain(code);
  });

  describe("run --watch", () => {
    const LOOP = (text: string): string => `import time\nprint("${text}")\nwhile True:\n    time.sleep(0.1)\n`;

    it("starts anew when sources change, waits when the program ends, builds, and leaves nothing", async () => {
      const dockerfile = 'FROM python:3.11-slim\nWORKDIR /app\nCOPY app.py .\nENV BUILT=1\nCMD ["python", "app.py"]\n';
      const folder = world.files("watched", {
        Dockerfile: dockerfile,
        "app.py": LOOP("first"),
        ".gitignore": "*.log\n",
      });
      world.ok("build", "-q", "-t", "watched", "watched");
      const write = (path: string, text: string): void => fs.writeFileSync(join(folder, path), text);
      const run = start(["run", "--rm", "--name", "watched", "--watch", "--build", "watched"], folder);
      await run.until((text) => text.includes("first\n"));
      write("noise.log", "x");
      fs.mkdirSync(join(folder, "pkg", "__pycache__"), { recursive: true });
      write("pkg/__pycache__/x.pyc", "x");
      await sleep(600);
      expect(run.err()).not.toContain("changed");

      write("app.py", "print('short')\nraise SystemExit(3)\n");
      await run.until((text) => text.includes("waiting for a change"));
      expect(run.err()).toMatch(/app\.py changed: starting anew\n.*exit code 3: waiting for a change\n/s);

      write("pkg/new.py", "WORD = 'third'\n");
      write("app.py", "import os, pkg.new, time\nprint(pkg.new.WORD, os.environ['BUILT'])\ntime.sleep(60)\n");
      await run.until((text) => text.includes("third 1\n"));

      write("Dockerfile", dockerfile.replace("BUILT=1", "BUILT=2"));
      await run.until((text) => text.includes("third 2\n"));
      expect(run.err()).toContain("Dockerfile changed: building watched");

      run.child.kill("SIGINT");
      expect(await run.ended()).not.toBe(0);
      expect(world.ok("ps", "-aq")).toBe("");
      expect(fs.existsSync(join(folder, "__pycache__"))).toBe(false);
    });

    it.each([
      ["an image without a working directory", ["--watch", "python:3.11-slim", "true"], /has no working directory/],
      ["a folder that is not there", ["--watch", "missing:/app", "app"], /no such folder/],
      ["the background", ["-d", "--watch", "app"], /exclude each other/],
      ["--build alone", ["--build", "app"], /is for `--watch`/],
    ])("refuses %s", (_name, words, says) => {
      expect(world.tare(["run", "--rm", ...words])).toMatchObject({ code: 125, err: expect.stringMatching(says) });
    });
  });

  describe("run --notebook", () => {
    const STUB =
      '#!/bin/sh\necho "$JUPYTER_TOKEN|$PWD|$(id -u)|$*"\ntouch $PWD/made\nmkdir -p "$JUPYTER_DATA_DIR" && echo writable\n';
    beforeAll(() => {
      const dockerfile = "FROM python:3.11-slim\nCOPY --chmod=755 jupyter-lab /usr/local/bin/\nWORKDIR /home/work\n";
      world.files("lab", { Dockerfile: dockerfile, "jupyter-lab": STUB });
      world.ok("build", "-q", "-t", "lab", "lab");
    });

    it("starts the image's Jupyter with a token, on the next free port, in this folder, for any user", async () => {
      const folder = world.files("notebooks", { "one.ipynb": "{}" });
      fs.chmodSync(folder, 0o777);
      // Somebody else may have it already, which is as good.
      const taken = createServer()
        .on("error", () => undefined)
        .listen(8888, "127.0.0.1");
      const run = start(["run", "--rm", "-u", "12345", "--notebook", "lab"], folder);
      expect(await run.ended()).toBe(0);
      taken.close();
      const [, port = "", token = ""] =
        /notebook: http:\/\/127\.0\.0\.1:(\d+)\/lab\?token=([0-9a-f]{48})\n/.exec(run.err()) ?? [];
      expect(Number(port)).toBeGreaterThan(8888);
      expect(run.out()).toMatch(
        /^\w+\|\/home\/work\|12345\|--no-browser --ip=(?:127|0)\.0\.0\.[01] --port=\d+ --allow-root\nwritable\n$/,
      );
      expect(run.out()).toMatch(new RegExp(`^${token}\\|.*--port=${port} `));
      expect(fs.statSync(join(folder, "made")).uid).toBe(12345);
      // A port of another container counts too, though nothing listens there.
      world.ok("run", "-d", "--name", "holder", "-p", `${port}:80`, "lab", "sleep", "600");
      const again = start(["run", "--rm", "--notebook", "lab"], folder);
      expect(await again.ended()).toBe(0);
      world.ok("rm", "-f", "holder");
      expect(again.out()).not.toContain(token);
    });

    it.each([
      ["a command", ["--notebook", "lab", "sh"], /no other command/],
      ["no network", ["--network", "none", "--notebook", "lab"], /nobody can reach/],
      ["a debugger too", ["--debug", "--notebook", "lab"], /excludes/],
      ["a port that is none", ["--notebook=70000", "lab"], /expected a port/],
    ])("refuses %s", (_name, words, says) => {
      expect(world.tare(["run", "--rm", ...words])).toMatchObject({ code: 125, err: expect.stringMatching(says) });
    });
  });
});
