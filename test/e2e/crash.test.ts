// SPDX-License-Identifier: Apache-2.0
import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoBusybox } from "../support/bases.ts";
import { Leftovers } from "../support/leftovers.ts";
import { addBusyboxImage, openProgramWorld } from "../support/program.ts";
import type { ProgramWorld } from "../support/program.ts";
import { randomNumbers } from "../support/random.ts";
import { STEPS } from "../../src/store/steps.ts";

const reason = whyNoBusybox();
if (reason !== undefined) console.log(`skipped: kill -9 of build and run: ${reason}`);

const seed = Number(process.env["TARE_TEST_SEED"] ?? Date.now() % 1_000_000);
const random = randomNumbers(seed);
const MARKER = `tare-crash-${process.pid}`;
const ROUNDS = 50;
/** After so many kills the store is looked through and one command must go through. */
const BATCH = 10;

const DOCKERFILE = `FROM busybox AS one
COPY files /one
RUN for n in 1 2 3 4 5 6 7 8 9; do head -c 100000 /dev/urandom > /one/$n; done; echo ${MARKER}
FROM busybox AS two
ARG CHANGE
RUN echo ${MARKER} $CHANGE > /two; mkdir -p /deep/er; sleep 0.2
FROM busybox
COPY --from=one /one /one
COPY --from=two /two /deep /
RUN cat /two; rm -r /one/files-0; sleep 0.1
CMD ["cat", "/two"]
`;

describe.skipIf(reason !== undefined)(`kill -9 at any moment (TARE_TEST_SEED=${seed})`, () => {
  let world: ProgramWorld;
  let leftovers: Leftovers;
  let context = "";
  beforeAll(() => {
    console.log(`moments of kill -9: TARE_TEST_SEED=${seed}`);
    world = openProgramWorld("crash");
    addBusyboxImage(world);
    const files = Array.from({ length: 60 }, (_, n) => [`files/files-${n % 5}/${n}`, `${n}`.repeat(n * 50)] as const);
    context = world.files("context", { Dockerfile: DOCKERFILE, ...Object.fromEntries(files) });
    leftovers = new Leftovers(world, MARKER);
  });
  afterAll(() => world.close());

  it(`of build ${ROUNDS} times loses nothing and hinders nothing`, async () => {
    const build = (n: number): string[] => [
      "build",
      "-t",
      "crash",
      "--build-arg",
      `CHANGE=${n}`,
      ...cacheOf(n),
      context,
    ];
    const duration = await timeOf(() => world.ok(...build(0)));
    for (let n = 1; n <= ROUNDS; n += 1) {
      await killAfter(world.start(build(n)), random() * duration);
      if (n % BATCH !== 0) continue;
      expectWhole(world);
      world.ok(...build(n));
      expect(world.ok("run", "--rm", "crash")).toBe(`${MARKER} ${n}`);
    }
    world.ok("system", "prune", "-f");
    expect(await leftovers.after()).toEqual([]);
  });

  it.each(["", "--rm", "-d", "-d --rm"])(`of run %s loses nothing, and its name can be used again`, async (flags) => {
    const run = [
      "run",
      ...flags.split(" ").filter(Boolean),
      "--name",
      "crash",
      "--network",
      "none",
      "-e",
      `MARKER=${MARKER}`,
      "busybox",
      "sleep",
      "0.1",
    ];
    const duration = await timeOf(() => world.ok(...run));
    world.tare(["rm", "-f", "crash"]);
    for (let n = 1; n <= Math.ceil(ROUNDS / 4); n += 1) {
      await killAfter(world.start(run), random() * duration);
      // Recovery is the next command's work, whichever it is.
      if (n % 3 === 0) world.ok("system", "prune", "-f");
      expectRemoved(world, "crash");
      if (n % BATCH === 0) expectWhole(world);
    }
    expect(world.ok("run", "--rm", "--name", "crash", "busybox", "echo", "again")).toBe("again");
    expect(world.ok("ps", "-aq")).toBe("");
    world.ok("system", "prune", "-f");
    expect(await leftovers.after()).toEqual([]);
    expectWhole(world);
  });

  it.each(["", "--rm"])("of run %s, whose program would go on for long, is cleared by prune", async (flags) => {
    const options = [...flags.split(" ").filter(Boolean), "--network", "none", "-e", `MARKER=${MARKER}`];
    const child = world.start(["run", ...options, "busybox", "sleep", "1000"]);
    while (world.ok("ps", "-q", "--filter", "status=running") === "") await sleep(50);
    await killAfter(child, 0);
    world.ok("system", "prune", "-f");
    expect(world.ok("ps", "-aq")).toBe("");
    expect(await leftovers.after()).toEqual([]);
  });

  it("at every named step of the store loses nothing", async () => {
    let killed = 0;
    for (const [n, step] of STEPS.entries()) {
      const env = { TARE_FAULT: `${n % 2 === 0 ? "kill" : "kill-after"}:${step}:${1 + Math.floor(random() * 2)}` };
      const args = step.startsWith("prune.")
        ? ["system", "prune", "-f"]
        : ["build", "--no-cache", "-t", "crash", context];
      if (world.tare(args, { env }).code === 128) killed += 1;
    }
    expect(killed).toBeGreaterThan(12);
    expectWhole(world);
    world.ok("build", "-t", "crash", context);
    world.ok("system", "prune", "-f");
    expect(await leftovers.after()).toEqual([]);
  });
});

/** Every third build from nothing, every third with one stage from nothing. */
function cacheOf(n: number): readonly string[] {
  return [[], ["--no-cache"], ["--no-cache-filter", "one"]][n % 3] ?? [];
}

async function timeOf(work: () => unknown): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

async function killAfter(child: ChildProcess, milliseconds: number): Promise<void> {
  const ended = new Promise((resolve) => child.once("exit", resolve));
  await sleep(milliseconds);
  child.kill("SIGKILL");
  await ended;
}

function expectWhole(world: ProgramWorld): void {
  const { code, out, err } = world.tare(["system", "fsck", "--json"]);
  expect({ code, err, findings: JSON.parse(out) as unknown }).toEqual({ code: 0, err: "", findings: [] });
}

/** A container that its killed supervisor left running is removed like any other. */
function expectRemoved(world: ProgramWorld, name: string): void {
  const { code, err } = world.tare(["rm", "-f", name]);
  if (code !== 0) expect(err).toContain("E_CONTAINER_NOTFOUND");
  expect(world.ok("ps", "-aq", "--filter", `name=${name}`)).toBe("");
}
