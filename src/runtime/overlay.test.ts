// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { launchCommand, mountFailure } from "./overlay.ts";

const OPTIONS = { directory: "/store/v1", emptyDirectory: "/store/v1/b/empty", dieWithParent: false };
const rows = (command: readonly string[]): readonly string[] =>
  command.slice(command.lastIndexOf("sh") + 1, command.lastIndexOf("--"));

describe("the start of a container", () => {
  it("mounts layers by short relative paths, then becomes the command", () => {
    const overlay = { target: "/t", lower: ["l/b", "l/a"], upper: "/store/v1/c/upper", work: "/store/v1/c/work" };
    const command = launchCommand([overlay], ["runc", "run", "x"], OPTIONS);
    expect(rows(command).slice(0, 2)).toEqual(["overlay", "lowerdir=l/b:l/a,upperdir=c/upper,workdir=c/work"]);
    expect(command.slice(-4)).toEqual(["--", "runc", "run", "x"]);
    expect(command.slice(0, 4)).toEqual(["unshare", "--mount", "--propagation", "slave"]);
  });

  it("binds a single read-only layer, and an empty directory for none", () => {
    expect(rows(launchCommand([{ target: "/t", lower: ["l/a"] }], ["x"], OPTIONS))).toEqual(["bind", "l/a", "-", "/t"]);
    expect(rows(launchCommand([{ target: "/t", lower: [] }], ["x"], OPTIONS))).toEqual([
      "bind",
      "/store/v1/b/empty",
      "-",
      "/t",
    ]);
  });

  it("hides a mount point from the runtime first", () => {
    const hidden = "/sys/fs/cgroup/unified";
    expect(rows(launchCommand([], ["x"], { ...OPTIONS, hidden }))).toEqual(["hide", "-", "-", hidden]);
  });

  it("ties everything to the caller's life when asked", () => {
    const command = launchCommand([], ["x"], { ...OPTIONS, dieWithParent: true });
    expect(command.slice(0, 3)).toEqual(["setpriv", "--pdeathsig", "KILL"]);
    expect(command).toContain("--kill-child");
  });

  it("takes 127 layers", () => {
    const lower = Array.from({ length: 127 }, (_, index) => `l/${index.toString(16).padStart(20, "0")}`);
    expect(() => launchCommand([{ target: "/t", lower }], ["x"], OPTIONS)).not.toThrow();
    const more = [...lower, ...lower];
    expect(() => launchCommand([{ target: "/t", lower: more }], ["x"], OPTIONS)).toThrow(/254 layers/);
  });

  it.each(["/a,b", "/a:b", "/a\\b", '/a"b'])("refuses the store path %s", (path) => {
    expect(() => launchCommand([{ target: "/t", lower: ["l/a", path] }], ["x"], OPTIONS)).toThrow(/comma, colon/);
  });

  it("recognises its own report of a failed mount", () => {
    expect(mountFailure("tare-mount: /t: mount: no such device\n")).toBe("/t: mount: no such device");
    expect(mountFailure("something else")).toBeUndefined();
  });
});
