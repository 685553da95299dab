// SPDX-License-Identifier: Apache-2.0
/* `sign` and `verify`: signatures beside images at registries. The store is not used. */
import { TareError } from "../base/index.ts";
import type { RemoteRepository } from "../images/index.ts";
import { isIndex, parseImageName, parseIndex } from "../oci/index.ts";
import type { Descriptor } from "../oci/index.ts";
import {
  findIdentityToken,
  predicateTypeOf,
  readSigningKey,
  readVerifyingKey,
  requireSignatures,
  signManifest,
  signManifestWithoutKey,
  wholeExpression,
} from "../trust/index.ts";
import type { MadeSignature, Subject, Trusted } from "../trust/index.ts";
import type { SignRequest, SignedManifest, VerifyRequest, VerifyResult } from "./facade-trust.ts";
import type { LongCall } from "./facade.ts";
import { withVertex } from "./listener.ts";
import { openRegistry, remoteName } from "./registry-connection.ts";
import type { Rooms } from "./rooms.ts";

/** `sign`. */
export async function signImage(rooms: Rooms, request: SignRequest): Promise<readonly SignedManifest[]> {
  const sign = await signerOf(rooms, request);
  const { remote, subject, children } = await lookUp(rooms, request.image, request);
  return withVertex(request, `sign ${request.image}`, async (log) => {
    const made: SignedManifest[] = [];
    for (const each of request.recursive ? [subject, ...(await children())] : [subject]) {
      for (const signature of await sign(remote, each)) {
        made.push({ ...signature, subject: each.digest });
        log(`${each.digest}: ${signature.format} ${signature.existed ? "is there" : signature.digest}`);
      }
    }
    return made;
  });
}

type Sign = (remote: RemoteRepository, subject: Subject) => Promise<readonly MadeSignature[]>;

async function signerOf(rooms: Rooms, request: SignRequest): Promise<Sign> {
  const reference = parseImageName(request.image);
  const signal = request.signal === undefined ? {} : { signal: request.signal };
  if (request.key) {
    const key = await readSigningKey(request.key.text, request.key.passphrase);
    const options = { key, reference, formats: request.formats, creator: `tare ${request.version}`, ...signal };
    return (remote, subject) => signManifest(remote, subject, options);
  }
  if (!request.keyless) throw new TareError("E_USAGE", "signing: neither a key nor an identity is given");
  const { HttpClient } = await import("../http/index.ts");
  const { env } = rooms.settings;
  const http = new HttpClient({ env });
  const token = request.keyless.token ?? (await findIdentityToken({ env, http, ...signal }));
  const place = { ...request.keyless, token, http, ...signal };
  return async (remote, subject) => [await signManifestWithoutKey(remote, subject, { reference, place, ...signal })];
}

/** `verify`. */
export async function verifyImage(rooms: Rooms, request: VerifyRequest): Promise<VerifyResult> {
  const trusted = trustedOf(request);
  const type = request.type === undefined ? {} : { predicateType: predicateTypeOf(request.type) };
  const { remote, subject } = await lookUp(rooms, request.image, request);
  const signal = request.signal === undefined ? {} : { signal: request.signal };
  const signatures = await requireSignatures(remote, subject.digest, {
    trusted,
    name: request.image,
    ...type,
    ...signal,
  });
  return { digest: subject.digest, signatures };
}

function trustedOf({ keys, keyless }: VerifyRequest): Trusted {
  if (keys.length > 0 && keyless) {
    throw new TareError("E_USAGE", "verifying: both keys and a certificate's identity are given", {
      hint: "give one of them",
    });
  }
  if (keys.length > 0) return { kind: "keys", keys: keys.map(readVerifyingKey) };
  if (!keyless) throw new TareError("E_USAGE", "verifying: nobody is named whose signature counts");
  const { identity, issuer, areExpressions, trustedRoot } = keyless;
  return {
    kind: "keyless",
    trustedRoot,
    rule: {
      identity: areExpressions?.identity ? wholeExpression(identity) : identity,
      issuer: areExpressions?.issuer ? wholeExpression(issuer) : issuer,
    },
  };
}

interface Found {
  readonly remote: RemoteRepository;
  /** What the name stands for. */
  readonly subject: Subject;
  /** Of an index. */
  readonly children: () => Promise<readonly Descriptor[]>;
}

async function lookUp(rooms: Rooms, image: string, { signal }: LongCall): Promise<Found> {
  const { domain, repository, tag } = remoteName(image);
  const client = await openRegistry(rooms.settings, domain);
  const call = signal === undefined ? {} : { signal };
  const { digest, mediaType, bytes } = await client.getManifest(repository, tag, call);
  const subject = { digest, mediaType, size: bytes.length };
  const children = async (): Promise<readonly Descriptor[]> => {
    return isIndex(mediaType) ? parseIndex(bytes.toString("utf8")).manifests : [];
  };
  return { remote: { client, repository }, subject, children };
}
