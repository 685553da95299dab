// SPDX-License-Identifier: Apache-2.0
import type { BaseRequest, BaseResult, BasesApi } from "./facade.ts";
import { shortName } from "./image-lookup.ts";
import type { Rooms } from "./rooms.ts";

/** Base images without a registry. */
export function basesApi(rooms: Rooms): BasesApi {
  return {
    assemble: (request) => assemble(rooms, request),
    recipes: async () => (await import("../bases/index.ts")).recipeNames(),
  };
}

async function assemble(rooms: Rooms, request: BaseRequest): Promise<BaseResult> {
  const { assembleBase } = await import("../bases/index.ts");
  const made = await assembleBase(rooms.writer(), request);
  return { ...made, names: made.names.map(shortName) };
}
