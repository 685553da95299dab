// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, expect, it } from "vitest";
import { openPlace, putImage } from "./fixture.ts";
import type { Place } from "./fixture.ts";
import type { BuildEvent } from "../solver/index.ts";

let place: Place;
beforeEach(() => {
  place = openPlace();
});
afterEach(() => place.close());

it("what an image needs of GPUs is read once, as one step, and remembered", async () => {
  const info = "torch-2.7.0+cu128.dist-info";
  const files = { [`${info}/METADATA`]: "Name: torch\nVersion: 2.7.0+cu128\n" };
  await putImage(place, { names: ["docker.io/library/app:latest"], files });
  const events: BuildEvent["kind"][] = [];
  const ask = (): ReturnType<typeof place.engine.gpus.needs> =>
    place.engine.gpus.needs({ image: "app", listener: (event) => events.push(event.kind) });
  const needs = await ask();
  expect(needs).toMatchObject({ image: "app", packages: [{ name: "torch", version: "2.7.0+cu128", cuda: "12.8" }] });
  expect(events).toEqual(["vertex", "started", "completed"]);
  expect(await ask()).toEqual(needs);
  expect(events).toHaveLength(3);
  await expect(place.engine.gpus.needs({ image: "gone" })).rejects.toMatchObject({ code: "E_IMAGE_NOTFOUND" });
});
