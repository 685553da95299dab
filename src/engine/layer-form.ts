// SPDX-License-Identifier: Apache-2.0
import type { ImageRecord } from "../store/index.ts";
import type { LongCall } from "./facade.ts";
import { withVertex } from "./listener.ts";
import type { Rooms } from "./rooms.ts";

/** An image and the form in which its layers shall travel; absent: as the store has them. */
export interface FormRequest<Image> {
  readonly record: Image;
  /** As on the command line. */
  readonly form: string | undefined;
  /** As the user named it. */
  readonly name: string;
}

/**
 * The image with its layers in a form, kept while `use` works with it. Throws `E_USAGE` for an unknown form, and as
 * `convertImage`.
 */
export async function withForm<T, Image extends Pick<ImageRecord, "target" | "mediaType" | "id">>(
  rooms: Rooms,
  call: LongCall,
  { record, form, name }: FormRequest<Image>,
  use: (record: Image) => Promise<T>,
): Promise<T> {
  if (form === undefined) return use(record);
  const { convertImage, parseLayerForm, wheelLayersOf } = await import("../images/index.ts");
  const store = rooms.writer();
  const lease = store.lease();
  try {
    const { signal } = call;
    const wheels = wheelLayersOf(store, () => rooms.wheels());
    const options = { form: parseLayerForm(form), wheels, lease, ...(signal === undefined ? {} : { signal }) };
    const converted = await withVertex(call, `compress ${name}`, () => convertImage(store, record, options));
    return await use({ ...record, ...converted });
  } finally {
    lease.release();
  }
}
