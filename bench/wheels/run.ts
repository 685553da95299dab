// SPDX-License-Identifier: Apache-2.0
/**
 * Compares how Python projects are built and shipped, in one run and from the same wheels: `npm run bench:wheels`.
 * Prints Markdown; progress goes to the standard error. What has to be fetched is fetched first; then the program runs
 * itself again in a network namespace where only a loopback exists. Needs root. Gates nothing.
 */
import { join } from "node:path";
import { messageOf } from "../../src/base/index.ts";
import { note } from "../host.ts";
import { insideOnly } from "../inside.ts";
import type { Contender } from "./contenders.ts";
import { readOptions } from "./options.ts";
import type { Options } from "./options.ts";
import { measureKnown } from "./known.ts";
import { openPeers } from "./peer-contenders.ts";
import type { OpenPeers } from "./peer-contenders.ts";
import { baseIn, newerDockerIn, prepare, wheelsIn } from "./prepare.ts";
import type { Materials } from "./projects.ts";
import { measureDisk, measureGrowth, measureMemory } from "./scale.ts";
import { startRegistry } from "./registry.ts";
import { shipRound } from "./ship.ts";
import type { Round, ShipPlace } from "./ship.ts";
import { reportJson, reportText } from "./tables.ts";
import type { Report, Rounds } from "./tables.ts";
import { makeWarmStore, tareContenders } from "./tare-contenders.ts";
import { warmCacheMount, warmPages } from "./warm-up.ts";
import { startIndex } from "../../test/support/wheel-index.ts";
import { TOOLS, describeWheels, wheelsOf } from "./wheels.ts";

/** What is open during a run. */
interface Session {
  readonly options: Options;
  readonly place: ShipPlace;
  readonly tare: readonly Contender[];
  readonly tareRoot: string;
  readonly peers: OpenPeers;
  /** Reasons for those that are left out. */
  readonly absent: string[];
  /** Requests for wheels since the last call. */
  wheelRequests(): Promise<number>;
  close(): Promise<void>;
}

async function openSession(options: Options): Promise<Session> {
  const { folder, cache, set } = options;
  const wheels = wheelsIn(cache);
  const everything = await describeWheels(wheels);
  const facts = wheelsOf(everything, [...new Set([...set.pins, set.changed, ...set.variants, ...TOOLS])]);
  warmPages(wheels, facts);
  const registry = await startRegistry(join(folder, "registry"));
  const paths = facts.map(({ fileName }) => join(wheels, fileName));
  const index = await startIndex([...new Set(paths)], { isCacheable: true });
  const indexUrl = `http://127.0.0.1:${index.port}`;
  const base = `${registry.host}/base/python:3.11-slim-uv`;
  const materials: Materials = { set, facts: [...new Set(facts)], indexUrl, base };
  const [warm, tareRoot] = [join(folder, "warm"), join(folder, "tare")];
  note("a store with the base and the wheels");
  await makeWarmStore(warm, baseIn(cache), { ...materials, wheels });
  const given = { folder, newerDocker: newerDockerIn(cache), indexUrl, base };
  note("the peers");
  const peers = await openPeers(given, options.peers);
  for (const reason of peers.absent) note(`left out: ${reason}`);
  for (const peer of peers.all) {
    warmCacheMount(materials, peer, `${registry.host}/warm/${peer.id}:1`, join(folder, "projects/warm"));
  }
  registry.keep();
  const place = { folder, materials, registry, note };
  const close = async (): Promise<void> => {
    await peers.close();
    await index.stop();
    registry.stop();
  };
  const wheelRequests = async (): Promise<number> =>
    (await index.requests()).filter((line) => /^GET .*\.whl$/.test(line)).length;
  const tare = tareContenders({ warm, root: tareRoot, indexUrl });
  return { options, place, tare, tareRoot, peers, absent: [...peers.absent], wheelRequests, close };
}

/** Contenders take turns within a round, so that a slow minute of the machine hits all. */
function measureShipping({ options, place, tare, peers, absent }: Session): readonly Rounds[] {
  const chosen = tare.filter(({ id }) => options.ways.includes(id));
  const measured = [...chosen, ...peers.all].map((contender) => ({
    contender,
    rounds: [] as Round[],
    hasFailed: false,
  }));
  for (let round = 1; round <= Math.max(options.rounds, options.peerRounds); round += 1) {
    for (const entry of measured) {
      const { contender, rounds } = entry;
      if (entry.hasFailed || round > (contender.isSlow ? options.peerRounds : options.rounds)) continue;
      const described = `${contender.name}, .pyc: ${contender.bytecode}, round ${round}`;
      const told = { ...place, note: (text: string) => note(`${described}: ${text}`) };
      try {
        rounds.push(shipRound(told, contender, round, isShort(options, contender)));
      } catch (error) {
        entry.hasFailed = true;
        absent.push(`${described}: ${messageOf(error)}`);
        note(`left out: ${absent.at(-1)}`);
      }
      if (contender.isTare) contender.end();
    }
  }
  return measured.filter(({ rounds }) => rounds.length > 0);
}

/** Slow peers that no ratio is given to change no pin, if not asked for. */
function isShort({ isFull }: Options, { isSlow, isTare, baseline }: Contender): boolean {
  return isSlow && !isTare && baseline === undefined && !isFull;
}

/** Those whose layers another machine can have left at the registry. */
const KNOWN = ["tare-none", "tare-imported"];

async function measure(session: Session): Promise<Report> {
  const { options, place, tare, tareRoot, peers } = session;
  const { sections, rounds } = options;
  const shipping = sections.includes("ship") ? measureShipping(session) : [];
  const memory: Report["memory"][number][] = [];
  if (sections.includes("memory")) {
    for (const contender of tare.filter(({ isSlow }) => !isSlow))
      memory.push({ contender, memory: await measureMemory(place, contender) });
  }
  const known: Report["known"][number][] = [];
  if (sections.includes("known")) {
    const givenToAll = { ...place, tareRoot, wheelRequests: session.wheelRequests };
    for (const contender of tare.filter(({ id }) => KNOWN.includes(id))) {
      known.push({ contender, known: await measureKnown(givenToAll, contender, rounds) });
    }
  }
  const [plain] = tare;
  if (!plain) throw new Error("Tare takes part always");
  const growth = sections.includes("growth") ? measureGrowth(place, plain, rounds) : [];
  const docker = peers.all.find(({ id }) => id === "buildkit");
  const disk =
    sections.includes("disk") && docker
      ? measureDisk(place, { tare: plain, docker, tareRoot, dataRoot: peers.dataRoot })
      : undefined;
  return {
    materials: place.materials,
    contenders: [...tare, ...peers.all],
    absent: session.absent,
    shipping,
    known,
    memory,
    growth,
    ...(disk ? { disk } : {}),
  };
}

async function main(options: Options): Promise<void> {
  const session = await openSession(options);
  try {
    const report = await measure(session);
    process.stdout.write(`${options.isJson ? reportJson(report) : reportText(report)}\n`);
  } finally {
    await session.close();
  }
}

const options = readOptions();
await insideOnly(
  options,
  () => main(options),
  () => prepare(options),
);
