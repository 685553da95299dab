// SPDX-License-Identifier: Apache-2.0
/* Uploads that another process goes on with: where the registry takes the rest of a blob. */
import type { UploadMemory, UploadSession } from "../registry/index.ts";
import type { Store } from "../store/index.ts";
import type { RemoteRepository } from "./transfer.ts";

interface Remembered extends UploadSession {
  readonly at: number;
}

/** Registries drop sessions after a week, by their defaults. */
const FORGET_MS = 7 * 24 * 3600 * 1000;

/**
 * Sends something large with a memory of how far it came, or without one while another command sends the same thing to
 * the same place. `name` stands for the bytes: they must be the same each time.
 */
export async function withUploadMemory<T>(
  store: Store,
  place: { readonly remote: RemoteRepository; readonly name: string },
  send: (memory: UploadMemory | undefined) => Promise<T>,
): Promise<T> {
  const { client, repository } = place.remote;
  const id = `${client.domain}/${repository}@${place.name}`;
  const end = store.claim(`upload:${id}`);
  if (!end) return send(undefined);
  try {
    return await send(memoryOf(store, id));
  } finally {
    end();
  }
}

function memoryOf(store: Store, id: string): UploadMemory {
  const documents = store.documents<Remembered>("upload-session", { lasting: false });
  const isOld = ({ at }: Remembered): boolean => Date.now() - at > FORGET_MS;
  for (const [known, value] of documents.entries()) if (isOld(value)) documents.remove(known);
  return {
    get: () => documents.get(id),
    set: ({ location, offset }) => documents.put(id, { location, offset, at: Date.now() }),
    clear: () => documents.remove(id),
  };
}
