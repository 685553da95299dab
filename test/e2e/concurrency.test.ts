// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoBusybox } from "../support/bases.ts";
import { Leftovers } from "../support/leftovers.ts";
import { addBusyboxImage, openProgramWorld } from "../support/program.ts";
import type { Outcome, ProgramWorld } from "../support/program.ts";

const reason = whyNoBusybox();
if (reason !== undefined) console.log(`skipped: many commands at once: ${reason}`);

const MARKER = `tare-concurrency-${process.pid}`;

describe.skipIf(reason !== undefined)("many commands at once", () => {
  let world: ProgramWorld;
  let leftovers: Leftovers;
  beforeAll(() => {
    world = openProgramWorld("many");
    addBusyboxImage(world);
    leftovers = new Leftovers(world, MARKER);
  });
  afterAll(() => world.close());

  const dockerfile = (n: number): string =>
    `FROM busybox\nRUN echo ${MARKER}; echo common > /common\nRUN echo ${n} > /own\nCMD cat /common /own\n`;
  const build = (name: string, n: number): Promise<Outcome> =>
    world.tareAsync(["build", "-t", name, "-f", "-", world.folder], { input: dockerfile(n) });
  const times = <T>(count: number, work: (n: number) => Promise<T>): Promise<T[]> =>
    Promise.all(Array.from({ length: count }, (_, n) => work(n)));

  it("eight builds of one Dockerfile give one image", async () => {
    const results = await times(8, () => build("same", 1));
    expect(results.filter(({ code }) => code !== 0)).toEqual([]);
    expect(world.ok("images", "-q").split("\n").length).toBe(2);
    expect(world.ok("run", "--rm", "same")).toBe("common\n1");
  });

  it("eight builds of different Dockerfiles give eight", async () => {
    const results = await times(8, (n) => build(`own${n}`, 100 + n));
    expect(results.filter(({ code }) => code !== 0)).toEqual([]);
    for (let n = 0; n < 8; n += 1) expect(world.ok("run", "--rm", `own${n}`)).toBe(`common\n${100 + n}`);
  });

  it("twenty runs give twenty answers and leave nothing", async () => {
    const results = await times(20, (n) =>
      world.tareAsync(["run", "--rm", "-e", `M=${MARKER}`, "busybox", "echo", `${n}`]),
    );
    expect(results).toEqual(Array.from({ length: 20 }, (_, n) => ({ code: 0, out: `${n}\n`, err: "" })));
    expect(world.ok("ps", "-aq")).toBe("");
    expect(await leftovers.after()).toEqual([]);
  });

  it("twenty of one name: one runs, the others say why not", async () => {
    const results = await times(6, () => world.tareAsync(["run", "--name", "only", "busybox", "sleep", "1"]));
    const codes = results.map(({ code }) => code).sort((a, b) => a - b);
    expect(codes).toEqual([0, 125, 125, 125, 125, 125]);
    for (const { code, err } of results) if (code !== 0) expect(err).toMatch(/^error\[E_NAME_TAKEN\].*\nhint: /s);
    world.ok("rm", "only");
  });

  it("build, run, rmi and prune in each other's way fail cleanly or not at all", async () => {
    const allowed = /^error\[(E_IMAGE_NOTFOUND|E_IMAGE_INUSE|E_CONTAINER_STATE|E_CONTAINER_NOTFOUND)\]/m;
    const command = (n: number): Promise<Outcome> => {
      const name = `race${Math.floor(n / 6) % 2}`;
      const words = [
        [],
        ["run", "--rm", name],
        ["rmi", "-f", name],
        ["system", "prune", "-af"],
        ["run", "-d", "--rm", "busybox", "true"],
        ["images"],
      ][n % 6];
      // An image that is gone is not asked for at a registry.
      const options = { env: { TARE_OFFLINE: "1" } };
      return words === undefined || words.length === 0 ? build(name, 200 + (n % 12)) : world.tareAsync(words, options);
    };
    // `system prune -a` would take busybox, too, if nothing used it.
    world.ok("run", "-d", "--name", "keeper", "busybox", "sleep", "1000");
    const results = await times(24, command);
    for (const { code, err } of results) if (code !== 0) expect(err).toMatch(allowed);
    const builds = results.filter((_, n) => n % 6 === 0);
    expect(builds.filter(({ code }) => code !== 0)).toEqual([]);
    expect(world.ok("system", "fsck")).toBe("The store is sound.");
    expect((await build("after", 300)).code).toBe(0);
    expect(world.ok("run", "--rm", "after")).toBe("common\n300");
    world.ok("rm", "-f", "keeper");
    expect(await leftovers.after()).toEqual([]);
  });

  it("stages that do not need each other run at the same time", async () => {
    const stage = (name: string): string => `FROM busybox AS ${name}\nRUN sleep 3; date > /${name}\n`;
    const input = `${stage("a")}${stage("b")}FROM busybox\nCOPY --from=a /a /\nCOPY --from=b /b /\n`;
    const started = performance.now();
    const { code, err } = await world.tareAsync(["build", "--no-cache", "-f", "-", world.folder], { input });
    expect(code, err).toBe(0);
    const seconds = (performance.now() - started) / 1000;
    console.log(`two stages of 3 seconds: ${seconds.toFixed(1)} s`);
    expect(seconds).toBeLessThan(5);
  });
});
