// SPDX-License-Identifier: Apache-2.0
/*
 * Wheels and sdists are blobs of the store, so they are written, checked, leased and pruned as all others. A document
 * for each remembers its name and where it came from, without credentials.
 */
import { Semaphore, TareError, isTareError, readPieces } from "../../base/index.ts";
import { redactUrl, resumedBody, withoutCredentials } from "../../http/index.ts";
import { openIndexClient } from "../index-client/client.ts";
import type { Digest } from "../../base/index.ts";
import type { BlobInfo, DocumentStore, Store } from "../../store/index.ts";
import type { IndexClient } from "../index-client/client.ts";
import type { DistributionFile, FetchOptions, StoredFile, WheelRef, WheelStore } from "../types.ts";

/** What a wheel store is opened with. */
export interface WheelStoreOptions {
  readonly store: Store;
  /** The user's environment: configuration of pip and uv, proxies, CA files. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** What is remembered of a file. */
export interface WheelDocument {
  readonly fileName: string;
  readonly size: number;
  /** Where it can be had again, without credentials. */
  readonly url?: string;
}

/** Documents by digest. */
const WHEELS = "wheel";
const DOWNLOADS = 8;

/** Opens the wheels of a store; cheap, nothing is read before it is needed. */
export function openWheelStore(options: WheelStoreOptions): WheelStore {
  return new BlobWheelStore(options);
}

class BlobWheelStore implements WheelStore {
  readonly #store: Store;
  readonly #documents: DocumentStore<WheelDocument>;
  readonly #options: WheelStoreOptions;
  readonly #slots = new Semaphore(DOWNLOADS);
  #access: IndexClient | undefined;

  constructor(options: WheelStoreOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#documents = options.store.documents<WheelDocument>(WHEELS);
  }

  find(digest: Digest): StoredFile | undefined {
    const document = this.#documents.get(digest);
    const blob = document && this.#store.blobs.stat(digest);
    if (!document || !blob) return undefined;
    return { fileName: document.fileName, digest, size: blob.size, path: this.#store.blobs.path(digest) };
  }

  note(file: DistributionFile): void {
    if (file.digest === undefined || file.url === undefined) return;
    if (this.#documents.get(file.digest)?.url !== undefined) return;
    this.#remember(file, { digest: file.digest, size: file.size ?? 0 });
  }

  async require(file: Pick<WheelRef, "fileName" | "digest">, options: FetchOptions = {}): Promise<StoredFile> {
    const known = this.find(file.digest);
    if (known) return known;
    const document = this.#documents.get(file.digest);
    if (document?.url === undefined) {
      throw new TareError(
        "E_WHEEL_MISSING",
        `fetching \`${file.fileName}\`: it is not in the store, and nobody knows where it came from`,
        {
          hint: "build again without the cache, or run `tare lock` again",
        },
      );
    }
    const { url, size } = document;
    const [stored] = await this.fetch([{ ...file, url, ...(size > 0 ? { size } : {}) }], options);
    if (!stored) throw new Error("fetch gives a file for each");
    return stored;
  }

  async fetch(files: readonly DistributionFile[], options: FetchOptions = {}): Promise<readonly StoredFile[]> {
    const progress = new Progress(files, options.onProgress);
    const order = files.map((file, index) => ({ file, index })).sort((a, b) => (b.file.size ?? 0) - (a.file.size ?? 0));
    const stored: StoredFile[] = [];
    await settleAll(
      order.map(async ({ file, index }) => {
        stored[index] = await this.#slots.run(() => this.#bring(file, progress, options.signal));
      }),
    );
    return stored;
  }

  useCredentials(urls: readonly string[]): void {
    if (urls.length > 0) this.#client().credentials.learn(urls);
  }

  #client(): IndexClient {
    return (this.#access ??= openIndexClient(this.#options.env));
  }

  async #bring(file: DistributionFile, progress: Progress, signal: AbortSignal | undefined): Promise<StoredFile> {
    const known = file.digest && this.#found(file);
    if (known) {
      progress.add(known.size);
      return known;
    }
    const blob = await this.#write(file, progress, signal);
    this.#remember(file, blob);
    return { fileName: file.fileName, ...blob, path: this.#store.blobs.path(blob.digest) };
  }

  /** A blob that came another way (a pulled image, a bundle) needs only its document. */
  #found(file: DistributionFile): StoredFile | undefined {
    const { digest } = file;
    const blob = digest && this.#store.blobs.stat(digest);
    if (!blob) return undefined;
    if (!this.#documents.get(blob.digest)) this.#remember(file, blob);
    return { fileName: file.fileName, ...blob, path: this.#store.blobs.path(blob.digest) };
  }

  #write(file: DistributionFile, progress: Progress, signal: AbortSignal | undefined): Promise<BlobInfo> {
    const { digest, size, path, url } = file;
    const expected = { ...(digest === undefined ? {} : { digest }), ...(size === undefined ? {} : { size }) };
    if (path !== undefined) return this.#store.blobs.write(progress.count(readPieces(path)), expected);
    if (url === undefined) {
      throw new TareError("E_WHEEL_MISSING", `fetching \`${file.fileName}\`: no index has it`, {
        hint: "check the index settings, or run `tare lock` again",
      });
    }
    if (url.startsWith("file:")) {
      return this.#store.blobs.write(progress.count(readPieces(decodeURIComponent(new URL(url).pathname))), expected);
    }
    return this.#download(file, url, { expected, progress, signal });
  }

  async #download(
    file: DistributionFile,
    url: string,
    job: {
      readonly expected: Partial<BlobInfo>;
      readonly progress: Progress;
      readonly signal: AbortSignal | undefined;
    },
  ): Promise<BlobInfo> {
    const { client, credentials } = this.#client();
    const authorization = credentials.authorizationFor(url);
    const request = {
      url: withoutCredentials(url),
      ...(authorization === undefined ? {} : { headers: { authorization } }),
      ...(job.signal === undefined ? {} : { signal: job.signal }),
    };
    const response = await client.request(request);
    if (response.status !== 200) {
      response.discard();
      throw refusal(file.fileName, url, response.status);
    }
    try {
      return await this.#store.blobs.write(job.progress.count(resumedBody(client, request, response)), job.expected);
    } catch (error) {
      response.discard();
      throw withName(error, file.fileName);
    }
  }

  #remember(file: DistributionFile, blob: BlobInfo): void {
    const { fileName, url } = file;
    const known = this.#documents.get(blob.digest);
    const place = url === undefined ? {} : { url: withoutCredentials(url) };
    const document: WheelDocument = { ...known, fileName, size: blob.size, ...place };
    this.#documents.put(blob.digest, document);
  }
}

/** Waits for all before the first failure is thrown, so that nothing goes on in the background. */
async function settleAll(work: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === "rejected") throw result.reason;
}

class Progress {
  readonly #total: number;
  readonly #report: FetchOptions["onProgress"];
  #current = 0;

  constructor(files: readonly DistributionFile[], report: FetchOptions["onProgress"]) {
    this.#total = files.reduce((sum, { size = 0 }) => sum + size, 0);
    this.#report = report;
  }

  add(size: number): void {
    this.#current += size;
    this.#report?.(this.#current, this.#total);
  }

  async *count(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      this.add(chunk.length);
      yield chunk;
    }
  }
}

function refusal(fileName: string, url: string, status: number): TareError {
  const host = URL.parse(url)?.host ?? "";
  if (status === 401 || status === 403) {
    return new TareError("E_INDEX_AUTH", `fetching \`${fileName}\`: ${host} answered ${status}`, {
      hint: `give credentials for ${host} in ~/.netrc, in the index URL of pip's or uv's configuration, or in the environment`,
    });
  }
  return new TareError("E_HTTP", `fetching \`${fileName}\` from ${redactUrl(url)}: the server answered ${status}`, {
    hint: status === 404 ? "the file is gone: run `tare lock` again" : "try again later",
  });
}

function withName(error: unknown, fileName: string): unknown {
  if (!isTareError(error) || error.code !== "E_DIGEST_MISMATCH") return error;
  return new TareError("E_DIGEST_MISMATCH", `fetching \`${fileName}\`: ${error.message}`, {
    hint: "the file is not the one that the lock names: nothing was stored",
    details: error.details,
    cause: error,
  });
}
