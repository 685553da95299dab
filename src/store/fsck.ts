// SPDX-License-Identifier: Apache-2.0
/*
 * Checks from the bottom up, so that a repair below shows as a loss above: database, temporary folders, blobs,
 * layers, links, then the cache records and images that refer to them. Damaged objects are moved out of the store's
 * names (into this lease, which ends with the check); references to what is gone are dropped (cache) or reported
 * with what to do (images).
 */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import type { Digest } from "../base/index.ts";
import { digestFromHex, hexOf, isTareError, messageOf, readTextIfPresent } from "../base/index.ts";
import { parseLayerFacts } from "./layer-facts.ts";
import { linkTarget, readLinkIfPresent } from "./layer-links.ts";
import { layerDigests, layerStore } from "./layers.ts";
import { namesIn } from "./layout.ts";
import { deadLinks } from "./recover.ts";
import type { StoreParts } from "./survey.ts";
import { objectsOnDisk, survey } from "./survey.ts";
import type { FsckFinding, FsckOptions, Lease } from "./types.ts";

/** One run: what to check, how, and what was found so far. */
interface Check {
  readonly parts: StoreParts;
  readonly options: FsckOptions;
  readonly repair: boolean;
  readonly found: FsckFinding[];
  /** Where damaged objects are moved; its end deletes them. */
  readonly lease: Lease | undefined;
}

/** Checks the whole store; repairs when asked. */
export async function fsck(parts: StoreParts, options: FsckOptions): Promise<readonly FsckFinding[]> {
  const repair = options.repair === true && !parts.context.readonly;
  const lease = repair ? parts.context.leases.open() : undefined;
  // Looking a layer up makes a lost link again; a check must not.
  const layers = layerStore({ ...parts.context, readonly: true });
  const check: Check = { parts: { ...parts, layers }, options, repair, found: [], lease };
  try {
    checkTemporary(check);
    const sound = checkDatabase(check);
    await checkBlobs(check);
    await checkLayers(check);
    checkLinks(check);
    if (sound) checkReferences(check);
    return check.found;
  } finally {
    lease?.release();
  }
}

type Found = Omit<FsckFinding, "repaired">;

/** Notes a finding and, in a repair, mends it. */
function note(check: Check, finding: Found, mend?: () => void): void {
  if (check.repair) mend?.();
  check.found.push({ ...finding, repaired: check.repair && mend !== undefined });
}

function checkTemporary(check: Check): void {
  const { leases, layout, effects } = check.parts.context;
  for (const subject of leases.survey().dead) {
    const problem = "left behind by a process that is gone";
    note(check, { kind: "temporary", subject, problem, repair: "remove it" }, () =>
      effects.removeTree("fsck.repair", join(layout.temporary, subject)),
    );
  }
}

/** False when the database can't be read: nothing can be said of what it refers to. */
function checkDatabase(check: Check): boolean {
  const { database, layout } = check.parts.context;
  try {
    const problems = database.problems();
    for (const problem of problems) noteDatabase(check, layout.state, problem);
    return problems.length === 0;
  } catch (error) {
    if (!isTareError(error, "E_STORE_DAMAGED")) throw error;
    noteDatabase(check, layout.state, messageOf(error));
    return false;
  }
}

/** The names of images and containers can't be made again from blobs: a person decides. */
function noteDatabase(check: Check, subject: string, problem: string): void {
  const repair = "move state.db away and pull or build the images again; layers and blobs stay usable";
  note(check, { kind: "database", subject, problem, repair });
}

async function checkBlobs(check: Check): Promise<void> {
  const { blobs } = objectsOnDisk(check.parts.context);
  for (const [index, digest] of blobs.entries()) {
    check.options.signal?.throwIfAborted();
    check.options.onProgress?.(index, blobs.length);
    const problem = check.options.quick ? undefined : await blobProblem(check, digest);
    if (problem) noteBlob(check, digest, problem);
  }
  for (const name of namesIn(check.parts.context.layout.blobs)) {
    if (!/^[0-9a-f]{64}$/.test(name)) noteBlob(check, name, "not the name of a blob");
  }
  if (check.options.quick) checkBlobSizes(check);
}

async function blobProblem(check: Check, digest: Digest): Promise<string | undefined> {
  const path = check.parts.context.layout.blob(digest);
  const hash = createHash("sha256");
  try {
    for await (const chunk of fs.createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  } catch (error) {
    return messageOf(error);
  }
  const actual = digestFromHex(hash.digest("hex"));
  return actual === digest ? undefined : `its bytes have the digest ${actual}`;
}

/** The sizes that layers remember of the blobs they came as. */
function checkBlobSizes(check: Check): void {
  for (const { blob } of check.parts.layers.list()) {
    const facts = blob && fs.statSync(check.parts.context.layout.blob(blob.digest), { throwIfNoEntry: false });
    if (facts && facts.size !== blob.size)
      noteBlob(check, blob.digest, `has ${facts.size} bytes instead of ${blob.size}`);
  }
}

function noteBlob(check: Check, subject: string, problem: string): void {
  const { layout } = check.parts.context;
  const path = join(layout.blobs, subject.replace("sha256:", ""));
  note(check, { kind: "blob", subject, problem, repair: "remove it" }, () => setAside(check, path, subject));
}

/** A rename away from the published name; the lease's end deletes it. */
function setAside(check: Check, path: string, subject: string): void {
  if (!check.lease) return;
  check.parts.context.effects.rename("fsck.repair", path, join(check.lease.folder, `damaged-${subject.slice(-64)}`));
}

async function checkLayers(check: Check): Promise<void> {
  const { context } = check.parts;
  for (const name of namesIn(context.layout.layers)) {
    if (!/^[0-9a-f]{64}$/.test(name)) noteLayer(check, name, "not the name of a layer");
  }
  for (const digest of layerDigests(context)) {
    check.options.signal?.throwIfAborted();
    const problem = (await layerProblem(check, digest)) ?? (await contentProblem(check, digest));
    if (problem) noteLayer(check, digest, problem);
  }
}

async function layerProblem(check: Check, digest: Digest): Promise<string | undefined> {
  const folder = check.parts.context.layout.layer(digest);
  const text = readTextIfPresent(join(folder, "layer.json"));
  if (text === undefined) return "its layer.json is missing";
  const facts = parseLayerFacts(text);
  if (!facts) return "its layer.json is damaged";
  if (facts.diffId !== digest) return `its layer.json is of ${facts.diffId}`;
  const tree = fs.lstatSync(join(folder, "tree"), { throwIfNoEntry: false });
  return tree?.isDirectory() || (!tree && facts.isDeferred) ? undefined : "its tree is missing";
}

/** Only layers made here can be packed again to the same bytes. */
async function contentProblem(check: Check, digest: Digest): Promise<string | undefined> {
  const layer = check.parts.layers.get(digest);
  if (!layer || layer.blob || !check.options.verifyLayer || check.options.quick) return undefined;
  try {
    const actual = await check.options.verifyLayer(layer);
    return actual === digest ? undefined : `its tree packs to ${actual}`;
  } catch (error) {
    return `its tree can't be packed: ${messageOf(error)}`;
  }
}

function noteLayer(check: Check, subject: string, problem: string): void {
  const path = join(check.parts.context.layout.layers, subject.replace("sha256:", ""));
  note(check, { kind: "layer", subject, problem, repair: "remove it" }, () => setAside(check, path, subject));
}

function checkLinks(check: Check): void {
  const { context } = check.parts;
  const { layout, effects } = context;
  const whole = layerDigests(context).filter((digest) => !isDeferred(check, digest));
  const expected = new Map(whole.map((digest) => [layout.link(digest), linkTarget(digest)]));
  for (const [link, target] of expected) {
    const path = join(layout.root, link);
    const held = readLinkIfPresent(path);
    if (held === target) continue;
    const problem = held === undefined ? "missing" : "leads elsewhere";
    note(check, { kind: "link", subject: link, problem, repair: "make it again" }, () => {
      effects.removeTree("fsck.repair", path);
      effects.link("fsck.repair", target, path);
    });
  }
  for (const name of deadLinks(context)) {
    // A kill between making the link and publishing its layer leaves one.
    note(check, { kind: "temporary", subject: `l/${name}`, problem: "leads to no layer", repair: "remove it" }, () =>
      effects.removeTree("fsck.repair", join(layout.links, name)),
    );
  }
}

/** A layer whose tree is still to be made: nothing leads to it. */
function isDeferred({ parts }: Check, digest: Digest): boolean {
  return parts.layers.get(digest) === undefined && parts.layers.facts(digest) !== undefined;
}

function checkReferences(check: Check): void {
  const { context } = check.parts;
  const { images, cache, containers } = survey(check.parts);
  const lacks = (layer: Digest): boolean => check.parts.layers.facts(layer) === undefined;
  for (const { key, layers } of cache) {
    const gone = layers.find(lacks);
    if (!gone) continue;
    note(
      check,
      { kind: "cache", subject: key, problem: `its layer ${gone} is missing`, repair: "forget the record" },
      () => {
        context.database.write(() => context.database.run("DELETE FROM cache WHERE key = ?", key));
      },
    );
  }
  for (const { record, content } of images) {
    const subject = record.names[0] ?? record.target;
    for (const { kind, digest } of content.missing) {
      const repair = "pull or build the image again, or remove it with `tare rmi`";
      note(check, { kind: "image", subject, problem: `its ${kind} ${digest} is missing`, repair });
    }
  }
  for (const { id, layers } of containers) {
    const gone = layers.find(lacks);
    if (gone) noteContainer(check, id, gone);
  }
}

function noteContainer(check: Check, id: string, layer: Digest): void {
  const repair = "pull or build its image again; the container works then";
  note(check, {
    kind: "image",
    subject: `container ${id}`,
    problem: `its layer sha256:${hexOf(layer)} is missing`,
    repair,
  });
}
