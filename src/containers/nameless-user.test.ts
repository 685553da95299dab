// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { lookupUser } from "../runtime/index.ts";
import { withHome, withLine } from "./nameless-user.ts";

const ROOT = "root:x:0:0:root:/root:/bin/sh";

describe("a user that the image does not know", () => {
  it.each([
    { name: "after the lines that there are", passwd: `${ROOT}\n`, line: 1 },
    { name: "after a last line that is not ended", passwd: ROOT, line: 1 },
    { name: "where there is no file", passwd: "", line: 0 },
  ])("gets a line $name, which is read back", ({ passwd, line }) => {
    const text = withLine(passwd, { uid: 123_456, gid: 0 }, "/home/tare");
    expect(text.split("\n")[line]).toBe("123456:*:123456:0:container user:/home/tare:/bin/sh");
    expect(lookupUser(() => Buffer.from(text), "123456")).toMatchObject({ uid: 123_456, gid: 0, home: "/home/tare" });
  });

  it("can't forge a user by HOME", () => {
    const text = withLine("", { uid: 5, gid: 5 }, "/x:/bin/sh\nroot2:x:0:0::/:");
    expect(text).toBe("5:*:5:5:container user:/:/bin/sh\n");
  });

  it.each([
    { name: "has a home of its own", user: { uid: 5, gid: 0, additionalGids: [] }, env: [], home: "/home/tare" },
    { name: "keeps a HOME that is set", user: { uid: 5, gid: 0, additionalGids: [] }, env: ["HOME=/w"], home: "/w" },
    { name: "leaves root's alone", user: { uid: 0, gid: 0, additionalGids: [] }, env: [], home: "/" },
    {
      name: "leaves a known one's alone",
      user: { uid: 5, gid: 0, additionalGids: [], home: "/a" },
      env: [],
      home: "/a",
    },
  ])("$name", ({ user, env, home }) => {
    expect(withHome(env, user).filter((entry) => entry.startsWith("HOME="))).toEqual([`HOME=${home}`]);
  });
});
