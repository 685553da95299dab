// SPDX-License-Identifier: Apache-2.0
/*
 * kill -9 at moments of pulls and pushes that a seed gives: the second try goes on, little is transferred twice, and
 * nothing stays behind. TARE_KILLS and TARE_KILL_MB make it larger than CI has time for: 100 and 1024 is the whole.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { numbersFrom, writeBigContext } from "../support/big-image.ts";
import { CountingProxy } from "../support/counting-proxy.ts";
import { openProgramWorld } from "../support/program.ts";
import type { ProgramWorld } from "../support/program.ts";
import { startRegistry, whyNoRegistry } from "../support/registry.ts";
import type { RegistryPeer } from "../support/registry.ts";

const reason = whyNoRegistry();
if (reason !== undefined) console.log(`skipped: killed transfers: ${reason}`);

const KILLS = Number(process.env["TARE_KILLS"] ?? 3);
const MEGABYTES = Number(process.env["TARE_KILL_MB"] ?? 48);
const LAYERS = 12;
/** So many take an hour: each tells its figures. */
const MANY = 10;
/** What may be transferred twice: of a large image a tenth, of a small one what fits into the sockets between. */
const MOST = 0.1;
const IN_SOCKETS = 16e6;
const TIMEOUT = 60_000 + KILLS * MEGABYTES * 200;

interface Round {
  /** When it was killed, of the time that one without a kill takes. */
  readonly moment: number;
  /** Bytes of both tries, of those of one. */
  readonly bytes: number;
  readonly isTooMuch: boolean;
}

describe.skipIf(reason !== undefined)(`kill -9 at ${KILLS} moments of an image of ${MEGABYTES} MB`, () => {
  let world: ProgramWorld;
  let peer: RegistryPeer;
  let proxy: CountingProxy;
  /** The store after a build, after a pull, and before both. */
  const states = new Map<string, Buffer>();
  const name = (): string => `${proxy.host}/big:1`;
  beforeAll(async () => {
    world = openProgramWorld("killed");
    peer = await startRegistry(join(world.folder, "registry"));
    proxy = await CountingProxy.open(peer.port);
    const context = join(world.folder, "context");
    writeBigContext(context, { layers: LAYERS, bytes: Math.floor((MEGABYTES * 1e6) / LAYERS) });
    world.ok("build", "-q", "-t", name(), context);
    fs.rmSync(context, { recursive: true });
    world.ok("system", "prune", "-f");
    keepState("made");
    await timed(["push", "-q", name()]);
  }, TIMEOUT);
  afterAll(async () => {
    await proxy?.close();
    await peer?.stop();
    world?.close();
  });

  /** Memories of pushes are in the state; blobs and layers never change. */
  function keepState(state: string): void {
    states.set(state, fs.readFileSync(join(world.root, "v1/state.db")));
  }

  function setState(state: string): void {
    for (const end of ["-wal", "-shm"]) fs.rmSync(join(world.root, `v1/state.db${end}`), { force: true });
    fs.writeFileSync(join(world.root, "v1/state.db"), states.get(state) ?? "");
  }

  async function timed(words: readonly string[]): Promise<number> {
    const started = performance.now();
    const { code, err } = await world.tareAsync(words);
    expect(code, err).toBe(0);
    return performance.now() - started;
  }

  async function killAfter(words: readonly string[], milliseconds: number): Promise<void> {
    const child = world.start(words);
    const ended = new Promise((done) => child.once("exit", done));
    await Promise.race([sleep(milliseconds), ended]);
    child.kill("SIGKILL");
    await ended;
  }

  interface Transfer {
    readonly words: readonly string[];
    readonly count: () => number;
    /** Before each round. */
    readonly prepare: () => void;
    /** After each round. */
    readonly check: () => void;
  }

  /** One transfer without a kill, then rounds of a killed one and its second try. */
  async function rounds({ words, count, prepare, check }: Transfer, seed: number): Promise<readonly Round[]> {
    const once = async (): Promise<{ readonly time: number; readonly bytes: number }> => {
      prepare();
      await proxy.reset();
      return { time: await timed(words), bytes: count() };
    };
    const whole = await once();
    const next = numbersFrom(seed);
    const done: Round[] = [];
    for (let round = 0; round < KILLS; round += 1) {
      prepare();
      await proxy.reset();
      const moment = 0.02 + (next() / 2 ** 32) * 0.96;
      await killAfter(words, moment * whole.time);
      await timed(words);
      check();
      const more = count() - whole.bytes;
      if (KILLS >= MANY) console.log(`${round + 1}: at ${moment.toFixed(2)}: ${(more / 1e6).toFixed(1)} MB more`);
      done.push({ moment, bytes: count() / whole.bytes, isTooMuch: more > Math.max(IN_SOCKETS, whole.bytes * MOST) });
    }
    tell(words, whole, done);
    return done;
  }

  function tell(
    words: readonly string[],
    whole: { readonly time: number; readonly bytes: number },
    done: readonly Round[],
  ): void {
    const bytes = done.map((round) => round.bytes).toSorted((a, b) => a - b);
    const mean = bytes.reduce((sum, each) => sum + each, 0) / bytes.length;
    const facts = `${(whole.bytes / 1e6).toFixed(1)} MB in ${(whole.time / 1000).toFixed(2)} s`;
    const of = (value: number | undefined): string => (value ?? Number.NaN).toFixed(3);
    console.log(
      `${words[0]}: ${facts}; killed ${KILLS} times: mean ${of(mean)}, most ${of(bytes.at(-1))} of the bytes`,
    );
  }

  /** Nothing is left of the dead process, and everything that is there is sound. */
  function expectClean(how: readonly string[] = ["--quick"]): void {
    world.ok("system", "prune", "-f");
    const ingest = join(world.root, "v1/ingest");
    expect(fs.existsSync(ingest) ? fs.readdirSync(ingest) : []).toEqual([]);
    expect(fs.readdirSync(join(world.root, "v1/tmp"))).toEqual([]);
    const { code, out } = world.tare(["system", "fsck", ...how]);
    expect(code, out).toBe(0);
  }

  function forgetImage(): void {
    world.tare(["rmi", "-f", name()]);
    world.ok("system", "prune", "-af");
    expect(fs.readdirSync(join(world.root, "v1/layers"))).toEqual([]);
  }

  const emptyRegistry = (): void => fs.rmSync(join(peer.storage, "docker"), { recursive: true, force: true });

  it("a push of what was built here", { timeout: TIMEOUT }, async () => {
    const done = await rounds(
      {
        words: ["push", "-q", name()],
        count: () => proxy.up,
        prepare: () => {
          setState("made");
          emptyRegistry();
        },
        check: expectClean,
      },
      1,
    );
    expect(done.filter(({ isTooMuch }) => isTooMuch)).toEqual([]);
  });

  it("a pull", { timeout: TIMEOUT }, async () => {
    const done = await rounds(
      { words: ["pull", "-q", name()], count: () => proxy.down, prepare: forgetImage, check: expectClean },
      2,
    );
    expect(done.filter(({ isTooMuch }) => isTooMuch)).toEqual([]);
    expectClean([]);
  });

  it("two pulls at once fetch it once", { timeout: TIMEOUT }, async () => {
    forgetImage();
    await proxy.reset();
    await timed(["pull", "-q", name()]);
    const once = proxy.down;
    forgetImage();
    await proxy.reset();
    await Promise.all([timed(["pull", "-q", name()]), timed(["pull", "-q", name()])]);
    expect(proxy.down).toBeLessThan(once * 1.02);
    expectClean([]);
  });

  it("a push of what was pulled", { timeout: TIMEOUT }, async () => {
    forgetImage();
    await timed(["pull", "-q", name()]);
    keepState("pulled");
    const done = await rounds(
      {
        words: ["push", "-q", name()],
        count: () => proxy.up,
        prepare: () => {
          setState("pulled");
          emptyRegistry();
        },
        check: expectClean,
      },
      3,
    );
    expect(done.filter(({ isTooMuch }) => isTooMuch)).toEqual([]);
    expectClean([]);
  });
});
