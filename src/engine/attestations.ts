// SPDX-License-Identifier: Apache-2.0
/* `--sbom` and `--provenance`: documents about a pushed image, attached to each of its platforms' manifests. */
import { TareError } from "../base/index.ts";
import type { Digest } from "../base/index.ts";
import type { AttestationRequest } from "../build/index.ts";
import { imageDetails } from "../images/index.ts";
import type { ImageDetails, RemoteRepository } from "../images/index.ts";
import { familiarName, isIndex, normalizeReference, parseIndex } from "../oci/index.ts";
import type { Platform } from "../oci/index.ts";
import type { ImageRecord } from "../store/index.ts";
import {
  PROVENANCE_TYPE,
  SBOM_PREDICATES,
  attach,
  formatStatement,
  provenanceOf,
  readSigningKey,
  sbomDocument,
  signManifest,
  signedAttachment,
  statementAttachment,
  takeInventory,
} from "../trust/index.ts";
import type { BuildFacts, SigningKey, Subject } from "../trust/index.ts";
import { requireImageTrees } from "./deferred.ts";
import type { AttachedDocument } from "./facade-trust.ts";
import type { LongCall } from "./facade.ts";
import { withVertex } from "./listener.ts";
import type { Rooms } from "./rooms.ts";
import { subjectOf } from "./sbom.ts";

/** Documents of what builds were made from, by image id; losing them costs a build with `--provenance`. */
const FACTS = "build-facts";
const TOOL = "tare";

/** Remembers what images were made from. */
export function rememberFacts(rooms: Rooms, facts: ReadonlyMap<Digest, BuildFacts>): void {
  const documents = rooms.writer().documents<BuildFacts>(FACTS, { lasting: false });
  for (const [id, each] of facts) documents.put(id, each);
}

/** A pushed image that documents are attached to. */
export interface AttestedPush extends LongCall {
  readonly target: RemoteRepository;
  /** What the tag names. */
  readonly pushed: Subject;
  readonly record: Pick<ImageRecord, "target" | "mediaType" | "id">;
  /** In full. */
  readonly name: string;
  readonly attestations: AttestationRequest;
}

/** Attaches what was asked for. Throws `E_PROVENANCE` for an image that was not built here with `--provenance`. */
export async function attachDocuments(rooms: Rooms, push: AttestedPush): Promise<readonly AttachedDocument[]> {
  const { attestations, signal } = push;
  const key = await signingKeyOf(attestations);
  const record: ImageRecord = { ...push.record, names: [push.name], addedAt: 0 };
  if (attestations.sbom !== undefined) await requireImageTrees(rooms, record, push);
  return withVertex(
    push,
    `${key ? "sign" : "attach documents to"} ${familiarName(normalizeReference(push.name))}`,
    async (log) => {
      const attached: AttachedDocument[] = [];
      const manifests = await manifestsOf(push);
      if (key) for (const subject of subjectsOf(push, manifests)) await signPushed(push, subject, { key, log });
      for (const { subject, platform } of manifests) {
        const details = imageDetails(rooms.reader(), record, platform);
        for (const statement of statementsOf(rooms, push, { subject, details })) {
          const { predicateType, bytes } = statement;
          const make = key ? signedAttachment(key, bytes, predicateType) : statementAttachment(bytes, predicateType);
          const digest = await attach(push.target, subject, make, signal);
          attached.push({ predicateType, digest, subject: subject.digest });
          log(`${predicateType}: ${digest}`);
        }
      }
      return attached;
    },
  );
}

/** The key that signs. Throws `E_KEY`. */
function signingKeyOf({ signing }: AttestationRequest): Promise<SigningKey | undefined> {
  return signing ? readSigningKey(signing.key, signing.passphrase) : Promise.resolve(undefined);
}

/** An index and what it lists: podman looks at the platform's manifest, others at what the tag names. */
function subjectsOf({ pushed }: AttestedPush, manifests: readonly Manifest[]): readonly Subject[] {
  const { digest, mediaType, size } = pushed;
  const all = [{ digest, mediaType, size }, ...manifests.map(({ subject }) => subject)];
  return [...new Map(all.map((subject) => [subject.digest, subject])).values()];
}

async function signPushed(
  { target, name, attestations, signal }: AttestedPush,
  subject: Subject,
  { key, log }: { readonly key: SigningKey; readonly log: (text: string) => void },
): Promise<void> {
  const made = await signManifest(target, subject, {
    key,
    reference: normalizeReference(name),
    formats: ["bundle", "legacy"],
    creator: `${TOOL} ${attestations.version}`,
    ...(signal === undefined ? {} : { signal }),
  });
  for (const { format, digest } of made) log(`${subject.digest}: signed (${format}): ${digest}`);
}

interface Manifest {
  readonly subject: Subject;
  /** Of an index's child. */
  readonly platform?: Platform;
}

/** The manifests of images under what was pushed. */
async function manifestsOf({ target, pushed, signal }: AttestedPush): Promise<readonly Manifest[]> {
  if (!isIndex(pushed.mediaType)) return [{ subject: pushed }];
  const call = signal === undefined ? {} : { signal };
  const { bytes } = await target.client.getManifest(target.repository, pushed.digest, call);
  return parseIndex(bytes.toString("utf8")).manifests.flatMap(({ platform, mediaType, digest, size }) => {
    const isImage = platform !== undefined && platform.os !== "unknown";
    return isImage ? [{ subject: { mediaType, digest, size }, platform }] : [];
  });
}

function statementsOf(
  rooms: Rooms,
  { attestations, name, signal }: AttestedPush,
  { subject, details }: { readonly subject: Subject; readonly details: ImageDetails },
): readonly { readonly predicateType: string; readonly bytes: Buffer }[] {
  const reference = normalizeReference(name);
  const tool = { name: TOOL, version: attestations.version };
  const about = { name: familiarName(reference), digest: subject.digest };
  const said: { readonly predicateType: string; readonly predicate: unknown }[] = [];
  if (attestations.sbom !== undefined) {
    const inventory = takeInventory(rooms.reader(), details, signal);
    const input = { subject: subjectOf(details, reference, subject.digest), inventory, tool };
    const predicate = sbomDocument(attestations.sbom, input);
    said.push({ predicateType: SBOM_PREDICATES[attestations.sbom], predicate });
  }
  if (attestations.provenance !== undefined) {
    const predicate = provenanceOf(requireFacts(rooms, name, details.id), { ...attestations.provenance, tool });
    said.push({ predicateType: PROVENANCE_TYPE, predicate });
  }
  return said.map((each) => ({ predicateType: each.predicateType, bytes: formatStatement(about, each) }));
}

/** Before anything is sent. Throws `E_PROVENANCE`, `E_KEY`. */
export async function checkAttestations(
  rooms: Rooms,
  { name, record, attestations }: Pick<AttestedPush, "name" | "record" | "attestations">,
): Promise<void> {
  if (attestations.provenance) requireFacts(rooms, name, record.id);
  await signingKeyOf(attestations);
}

/** What an image was made from. Throws `E_PROVENANCE` when nobody here remembers. */
function requireFacts(rooms: Rooms, name: string, id: Digest): BuildFacts {
  const facts = rooms.reader().documents<BuildFacts>(FACTS, { lasting: false }).get(id);
  if (facts) return facts;
  throw new TareError("E_PROVENANCE", `telling how \`${name}\` was built: nobody here remembers it`, {
    hint: "build it with `--provenance`: what goes into a build is remembered then",
  });
}
