// SPDX-License-Identifier: Apache-2.0
/*
 * Reading by way of mirrors:
 *
 *   mirror 1 ─fails, or lacks it─▶ mirror 2 ─▶ … ─▶ the registry itself
 *       └─ what it gave proves wrong ─▶ `distrust` ─▶ the caller asks again
 *
 * A mirror that failed for a repository is not asked again for it, and why is told once. Each host has a session of its
 * own with its own credentials, so no mirror sees those of the registry, nor the other way round.
 */
import { TareError, digestOf, isDigest, isTareError } from "../base/index.ts";
import type { Digest } from "../base/index.ts";
import { DOCUMENT_LIMIT } from "../oci/index.ts";
import type { Route, Routes } from "./config/routes.ts";
import { downloadBlob } from "./download.ts";
import { RegistrySession } from "./session.ts";
import type { RegistryCall, RegistryOptions } from "./types.ts";

/** What is read: a tag or digest of a repository. */
interface Wanted {
  readonly repository: string;
  readonly tag: string;
}

/** A session and what the repository is called there. */
interface At {
  readonly session: RegistrySession;
  readonly repository: string;
}

/** The sessions by which one registry's repositories are read. */
export class MirroredReader {
  readonly #domain: string;
  readonly #options: RegistryOptions;
  readonly #own: RegistrySession;
  readonly #sessions = new Map<string, RegistrySession>();
  /** Mirrors that are not asked again, by host and repository. */
  readonly #given = new Set<string>();
  /** Which mirror was the last to be asked for a blob. */
  readonly #served = new Map<Digest, Route>();

  constructor(domain: string, options: RegistryOptions, own: RegistrySession) {
    this.#domain = domain;
    this.#options = options;
    this.#own = own;
  }

  /** Where a repository is written to. Throws `E_REGISTRY_CONFIG` when it is blocked. */
  own(repository: string): RegistrySession {
    this.#options.routes?.(repository);
    return this.#own;
  }

  /** Does `work` at the first place that can; that there is nothing (undefined) is for the registry itself to say. */
  async read<T>(wanted: Wanted, work: (at: At) => Promise<T>): Promise<T> {
    for (const route of this.#mirrors(wanted)) {
      this.#note(wanted, route);
      try {
        const found = await work(this.#at(route));
        if (found !== undefined) return found;
        this.#giveUp(wanted, route, "it has no such image");
      } catch (error) {
        this.#giveUp(wanted, route, reasonOf(error));
      }
    }
    return this.origin(wanted.repository, work);
  }

  /** Asks the registry itself. */
  async origin<T>(repository: string, work: (at: At) => Promise<T>): Promise<T> {
    return work(this.#at(this.#origin(repository)));
  }

  /** The bytes of a blob; what a mirror began the next one goes on with. */
  async *open(repository: string, blob: Blob, call: RegistryCall): AsyncGenerator<Uint8Array> {
    const wanted = { repository, tag: blob.digest };
    let received = 0;
    for (const route of this.#mirrors(wanted)) {
      this.#note(wanted, route);
      try {
        for await (const chunk of mirrored(this.#at(route), blob, call, received)) {
          received += chunk.length;
          yield chunk;
        }
        return;
      } catch (error) {
        this.#giveUp(wanted, route, reasonOf(error));
      }
    }
    const { session, repository: name } = this.#at(this.#origin(repository));
    yield* without(downloadBlob(session, name, blob, call), received);
  }

  /** True when a blob came from a mirror, which is not asked again for this repository. */
  distrust(repository: string, digest: Digest): boolean {
    const route = this.#served.get(digest);
    if (!route) return false;
    this.#served.delete(digest);
    this.#giveUp({ repository, tag: digest }, route, `it gave other content for \`${digest}\``);
    return true;
  }

  #note({ tag }: Wanted, route: Route): void {
    if (isDigest(tag)) this.#served.set(tag, route);
  }

  #routes(repository: string): Routes | undefined {
    return this.#options.routes?.(repository);
  }

  #mirrors({ repository, tag }: Wanted): readonly Route[] {
    const kind = isDigest(tag) ? "digest" : "tag";
    const mirrors = this.#routes(repository)?.mirrors ?? [];
    return mirrors.filter((route) => (route.use === "all" || route.use === kind) && !this.#given.has(keyOf(route)));
  }

  #origin(repository: string): Route {
    const own = { domain: this.#domain, repository, insecure: this.#options.insecure ?? false, use: "all" } as const;
    return this.#routes(repository)?.origin ?? own;
  }

  #at(route: Route): At {
    const { domain, repository, insecure } = route;
    const isOwn = domain === this.#domain && insecure === (this.#options.insecure ?? false);
    if (isOwn || !this.#options.reach) return { session: this.#own, repository };
    const key = `${domain} ${String(insecure)}`;
    const session = this.#sessions.get(key) ?? new RegistrySession(domain, this.#options.reach(domain, insecure));
    this.#sessions.set(key, session);
    return { session, repository };
  }

  #giveUp({ repository }: Wanted, route: Route, why: string): void {
    const key = keyOf(route);
    if (this.#given.has(key)) return;
    this.#given.add(key);
    this.#options.onNotice?.(
      `mirror \`${route.domain}\` is not asked for \`${this.#domain}/${repository}\` any more: ${why}`,
    );
  }
}

interface Blob {
  readonly digest: Digest;
  readonly size: number;
}

function keyOf({ domain, repository }: Route): string {
  return `${domain}/${repository}`;
}

/** What a mirror failed with; rethrown when it was not the mirror's fault. */
function reasonOf(error: unknown): string {
  const isMirrors =
    isTareError(error) &&
    (error.code.startsWith("E_REGISTRY") || error.code === "E_DIGEST_MISMATCH" || error.code === "E_MANIFEST");
  if (!isMirrors) throw error;
  return error.message;
}

/** A mirror's bytes of a blob from `from` on; those of small ones are checked before the first is handed out. */
async function* mirrored(
  { session, repository }: At,
  blob: Blob,
  call: RegistryCall,
  from: number,
): AsyncGenerator<Uint8Array> {
  const bytes = downloadBlob(session, repository, blob, call);
  if (blob.size > DOCUMENT_LIMIT) return yield* without(bytes, from);
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(Buffer.from(chunk));
  const whole = Buffer.concat(chunks);
  const actual = digestOf(whole);
  if (actual !== blob.digest) {
    throw new TareError(
      "E_DIGEST_MISMATCH",
      `pulling \`${blob.digest}\` from \`${session.domain}\`: \`${actual}\` came`,
    );
  }
  if (from < whole.length) yield whole.subarray(from);
}

async function* without(bytes: AsyncIterable<Uint8Array>, count: number): AsyncGenerator<Uint8Array> {
  let left = count;
  for await (const chunk of bytes) {
    const part = chunk.subarray(Math.min(left, chunk.length));
    left -= chunk.length - part.length;
    if (part.length > 0) yield part;
  }
}
