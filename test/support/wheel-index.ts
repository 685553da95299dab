// SPDX-License-Identifier: Apache-2.0
/*
 * A package index on a port of this machine ("simple" interface: PEP 503, PEP 691, PEP 658), for pip, uv and Tare. It
 * answers from a thread, so that tests may wait for a program without letting it starve.
 */
import { Worker } from "node:worker_threads";

/** How an index is set up. */
export interface IndexOptions {
  /** `user:password` that every request must carry. */
  readonly credentials?: string;
  /** Offers METADATA beside wheels, as the public index does. Default true. */
  readonly metadata?: boolean;
  /** Lets clients keep answers, as the public index does. Default false. */
  readonly isCacheable?: boolean;
}

/** A running index. */
export interface IndexPeer {
  /** `http://127.0.0.1:port/simple/` */
  readonly url: string;
  readonly port: number;
  /** Environment that makes pip and uv (and so Tare) ask this index alone. */
  readonly env: Readonly<Record<string, string>>;
  /** Requests since the last call: `GET /files/…`. */
  requests(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** What the thread is started with. */
export interface IndexFiles {
  readonly paths: readonly string[];
  readonly options: IndexOptions;
}

/** What the thread says. */
export type IndexMessage = { readonly port: number } | { readonly requests: readonly string[] };

/** Serves wheels and sdists, given as paths; the caller stops it. */
export async function startIndex(paths: readonly string[], options: IndexOptions = {}): Promise<IndexPeer> {
  const workerData: IndexFiles = { paths, options };
  const worker = new Worker(new URL("./wheel-index-child.ts", import.meta.url), { workerData });
  const started = await next(worker);
  if (!("port" in started)) throw new Error("the index says its port first");
  const { port } = started;
  const user = options.credentials === undefined ? "" : `${options.credentials}@`;
  const url = `http://${user}127.0.0.1:${port}/simple/`;
  return {
    url,
    port,
    env: {
      PIP_INDEX_URL: url,
      PIP_FIND_LINKS: "",
      PIP_CERT: "",
      UV_DEFAULT_INDEX: url,
      PIP_DISABLE_PIP_VERSION_CHECK: "1",
    },
    requests: async () => {
      const answer = next(worker);
      worker.postMessage("requests", []);
      const message = await answer;
      return "requests" in message ? message.requests : [];
    },
    stop: async () => void (await worker.terminate()),
  };
}

function next(worker: Worker): Promise<IndexMessage> {
  return new Promise((resolve, reject) => {
    worker.once("message", (message: IndexMessage) => {
      worker.off("error", reject);
      resolve(message);
    });
    worker.once("error", reject);
  });
}
