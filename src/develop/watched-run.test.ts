// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { isBuildInput } from "./watched-run.ts";

describe("what an image is built from besides its sources", () => {
  it.each([
    ..."requirements.txt requirements-dev.in pyproject.toml uv.lock pylock.toml pylock.gpu.toml setup.cfg".split(" "),
    ..."Dockerfile Containerfile Dockerfile.gpu dev.Dockerfile sub/requirements.txt environment.yml".split(" "),
  ])("%s", (path) => expect(isBuildInput(path)).toBe(true));

  it.each("app.py requirements.py notes.txt Dockerfiles lock data/locks.json".split(" "))("not %s", (path) =>
    expect(isBuildInput(path)).toBe(false),
  );
});
