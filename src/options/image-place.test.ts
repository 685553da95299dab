// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isTareError } from "../base/index.ts";
import { parseImagePlace } from "./image-place.ts";

const D = `sha256:${"a".repeat(64)}`;

describe("places of a copy", () => {
  it.each([
    ["python:3.11-slim", { kind: "registry", name: "python:3.11-slim" }],
    ["localhost:5000/app:1", { kind: "registry", name: "localhost:5000/app:1" }],
    ["localhost:5000/team/app", { kind: "registry", name: "localhost:5000/team/app" }],
    [`registry.example.com/app@${D}`, { kind: "registry", name: `registry.example.com/app@${D}` }],
    [`app@${D}`, { kind: "registry", name: `app@${D}` }],
    ["docker://app:1", { kind: "registry", name: "app:1" }],
    ["docker:dind", { kind: "registry", name: "docker:dind" }],
    ["registry:2", { kind: "registry", name: "registry:2" }],
    ["stare:2", { kind: "registry", name: "stare:2" }],
    ["store:app:1", { kind: "store", name: "app:1" }],
    ["tare:app", { kind: "store", name: "app" }],
    ["oci:folder", { kind: "oci", path: "folder" }],
    ["oci:/a/b:1", { kind: "oci", path: "/a/b", name: "1" }],
    ["oci:/a/b:", { kind: "oci", path: "/a/b" }],
    ["oci-archive:a.tar:app:1", { kind: "oci-archive", path: "a.tar", name: "app:1" }],
    ["docker-archive:a.tar", { kind: "docker-archive", path: "a.tar" }],
    ["docker-archive:a.tar:app:1", { kind: "docker-archive", path: "a.tar", name: "app:1" }],
    ["docker-daemon:app:1", { kind: "docker-daemon", name: "app:1" }],
  ])("%s", (text, expected) => {
    expect(parseImagePlace(text)).toEqual(expected);
  });

  it.each([
    ["dir:/a", "unknown transport `dir`", "`oci:FOLDER`"],
    ["oci-archiv:a.tar", "unknown transport `oci-archiv`", "`oci-archive:`"],
    ["docker-deamon:app:1", "unknown transport `docker-deamon`", "`docker-daemon:`"],
    ["dokcer://app:1", "unknown transport `dokcer`", "`docker:`"],
    ["ocl:./layout", "unknown transport `ocl`", "`oci:`"],
    ["foo:/some/path", "unknown transport `foo`", "known are oci:"],
    ["https://registry.example.com/app", "unknown transport `https`", "leave out the scheme"],
    ["containers-storage:app", "unknown transport `containers-storage`", "podman save"],
    ["oci:", "has no path", "oci:PATH"],
    ["docker-archive::app", "has no path", "docker-archive:PATH"],
    ["store:", "has no image's name", "store:app:1"],
    ["docker://", "has no image's name", "store:app:1"],
    ["", "has no image's name", "store:app:1"],
  ])("refuses %s", (text, message, hint) => {
    expect(() => parseImagePlace(text)).toThrow(
      expect.objectContaining({
        code: "E_USAGE",
        message: expect.stringContaining(message),
        hint: expect.stringContaining(hint),
      }),
    );
  });

  it("parses or refuses whatever comes, and keeps paths and names as they are", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), (text) => {
        try {
          const place = parseImagePlace(text);
          expect(text).toContain("path" in place ? place.path : place.name);
        } catch (error) {
          expect(isTareError(error, "E_USAGE")).toBe(true);
        }
      }),
    );
  });
});
