// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { compileTemplate } from "./template/index.ts";
import { eventDocument, eventJson, eventLine } from "./event-text.ts";

const EVENT = {
  type: "container",
  action: "die",
  id: "4f2a90",
  attributes: { name: "web", exitCode: "3", image: "app" },
  time: "1795813852360816123",
};

it("writes Docker's JSON, with all digits of the time", () => {
  expect(eventJson(EVENT)).toBe(
    '{"status":"die","id":"4f2a90","from":"app","Type":"container","Action":"die","Actor":{"ID":"4f2a90",' +
      '"Attributes":{"exitCode":"3","image":"app","name":"web"}},"scope":"local","time":1795813852,' +
      '"timeNano":1795813852360816123}',
  );
});

it("has no value for an attribute that an event lacks", () => {
  const run = compileTemplate("{{.Action}} {{.Actor.Attributes.exitCode}} {{.Actor.Attributes.signal}}");
  expect(run(eventDocument(EVENT))).toBe("die 3 <no value>");
});

it("writes Docker's line, without a terminal's escape sequences", () => {
  expect(eventLine(EVENT)).toMatch(
    /^2026-11-2\dT\d\d:\d\d:52\.360816123(?:Z|[+-]\d\d:\d\d) container die 4f2a90 \(exitCode=3, image=app, name=web\)$/,
  );
  expect(eventLine({ ...EVENT, attributes: { name: "\u001B]52;c;x\u0007" } })).not.toContain("\u001B");
});
