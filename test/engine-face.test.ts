// SPDX-License-Identifier: Apache-2.0
import { describe, expect, expectTypeOf, it } from "vitest";
import * as face from "../src/engine/index.ts";
import type { BuildResult, CreateRequest, Engine, EngineOptions, OpenEngine } from "../src/engine/index.ts";

describe("the library's face", () => {
  it("exports these values and no others", () => {
    expect(Object.keys(face).sort()).toEqual(["Engine", "openEngine"]);
    expect(face.Engine.open).toBe(face.openEngine);
  });

  it("opens without touching the disk and has every method", () => {
    const engine = face.openEngine({ env: {}, cwd: "/", root: "/nonexistent/tare" });
    const members = (value: object): string[] => Object.keys(value).sort();
    expect(members(engine)).toEqual([
      "bases",
      "boot",
      "build",
      "bundles",
      "check",
      "close",
      "containers",
      "develop",
      "gpuData",
      "gpus",
      "images",
      "locks",
      "networks",
      "plan",
      "registry",
      "sizes",
      "system",
      "trust",
      "volumes",
      "wheels",
    ]);
    expect(members(engine.images)).toEqual(
      ["history", "import", "inspect", "list", "load", "names", "prune", "remove", "resolve", "save", "tag"].sort(),
    );
    expect(members(engine.containers)).toEqual(
      "attach changes commit copyFrom copyTo create exec export inspect kill list logDetails logs names pause ports processes prunable prune remove rename restart run security setRestartPolicy start stats stop unpause update wait".split(
        " ",
      ),
    );
    expect(members(engine.gpus)).toEqual(["cdiDevices", "check", "generateCdi", "list", "needs"]);
    expect(members(engine.locks)).toEqual(["lock"]);
    expect(members(engine.bases)).toEqual(["assemble", "recipes"]);
    expect(members(engine.volumes)).toEqual(
      "backup clone create inspect list names prune pull push remove restore verify".split(" "),
    );
    expect(members(engine.gpuData)).toEqual(["document", "lookUp", "push", "reset", "show", "update"]);
    expect(members(engine.wheels)).toEqual(["list", "pull", "push", "remove"]);
    expect(members(engine.bundles)).toEqual(["create", "load"]);
    expect(members(engine.trust)).toEqual(["generateKey", "sbom", "sign", "verify"]);
    expect(members(engine.system)).toEqual([
      "check",
      "events",
      "fsck",
      "info",
      "install",
      "planInstall",
      "prune",
      "usage",
    ]);
    engine.close();
  });

  it("has the types that a caller needs", () => {
    expectTypeOf(face.openEngine).toEqualTypeOf<OpenEngine>();
    expectTypeOf<Parameters<OpenEngine>[0]>().toEqualTypeOf<EngineOptions>();
    expectTypeOf<ReturnType<Engine["build"]>>().resolves.toEqualTypeOf<BuildResult>();
    expectTypeOf<Parameters<Engine["containers"]["create"]>[0]>().toEqualTypeOf<CreateRequest>();
  });
});
