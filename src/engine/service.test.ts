// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { installService, service, uninstallService } from "./service.ts";
import type { ServiceHost } from "./service.ts";
import { serviceUnit } from "./service-unit.ts";
import { settingsOf } from "./settings.ts";

const PROGRAM = ["/opt/my node/bin/node", "--", "/opt/tare/dist/tare.cjs"];
const verifier = spawnSync("systemd-analyze", ["--version"]).status === 0;
if (!verifier) console.log("skipped: systemd-analyze verify: systemd is not installed");
let folder = "";
let calls: string[] = [];
beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "tare-service-"));
  calls = [];
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

/** A host whose systemctl does what the real one does with files. */
function host(fields: Partial<ServiceHost> = {}): ServiceHost {
  const wanted = join(folder, "multi-user.target.wants");
  const systemctl: ServiceHost["systemctl"] = async (words) => {
    calls.push(words.join(" "));
    const unit = words.at(-1) ?? "";
    if (words[0] === "enable") {
      fs.mkdirSync(wanted, { recursive: true });
      fs.writeFileSync(join(wanted, unit), "");
    }
    if (words[0] === "disable") fs.rmSync(join(wanted, unit));
    return Promise.resolve({ code: 0, stderr: "" });
  };
  return { scope: "system", hasSystemd: true, unitFolder: folder, lingers: false, systemctl, ...fields };
}

const settings = (root?: string): ReturnType<typeof settingsOf> =>
  settingsOf({ env: {}, cwd: "/", ...(root === undefined ? {} : { root }) }, { uid: 0, home: "/root" });

describe("the service", () => {
  it("is written, enabled and started; written again it is the same; removed it is gone", async () => {
    const first = await installService(settings(), host(), PROGRAM);
    expect(first).toMatchObject({ unit: "tare.service", path: join(folder, "tare.service"), isEnabled: true });
    expect(calls).toEqual(["daemon-reload", "enable --now tare.service"]);
    expect(await installService(settings(), host(), PROGRAM)).toEqual(first);
    expect(await uninstallService(settings(), host())).toMatchObject({ isInstalled: false, isEnabled: false });
    expect(fs.readdirSync(folder)).toEqual(["multi-user.target.wants"]);
    expect(await uninstallService(settings(), host())).toMatchObject({ isInstalled: false });
  });

  it("of another store has a name of its own", () => {
    const names = ["/a", "/b"].map((root) => service(settings(root), host()).unit);
    expect(names.every((name) => /^tare-[0-9a-f]{16}\.service$/.test(name))).toBe(true);
    expect(new Set(names).size).toBe(2);
  });

  it("needs systemd, and says what to do without it", async () => {
    await expect(installService(settings("/a"), host({ hasSystemd: false }), PROGRAM)).rejects.toMatchObject({
      code: "E_UNSUPPORTED",
      hint: expect.stringContaining("--root /a system boot` when it starts, for example by a line `@reboot") as string,
    });
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it("tells what systemctl complains about", async () => {
    const systemctl = async (): Promise<{ code: number; stderr: string }> =>
      Promise.resolve({ code: 1, stderr: "Access denied\n" });
    await expect(installService(settings(), host({ systemctl }), PROGRAM)).rejects.toThrow(
      "systemctl daemon-reload: Access denied",
    );
  });

  const words: readonly [string, string][] = [
    ["/var/lib/tare", "/var/lib/tare"],
    ["/my store", '"/my store"'],
    ["/50%", "/50%%"],
    ["/a$b", "/a$$b"],
    ['/q"uo\\te', '"/q\\"uo\\\\te"'],
    ["/new\nline", '"/new\\nline"'],
    ["/semi;colon", '"/semi;colon"'],
  ];
  it.each(words)("writes the root %j as %s", (root, expected) => {
    expect(serviceUnit({ program: ["/bin/true"], root, scope: "system" })).toContain(
      `ExecStart=/bin/true --root ${expected} system boot\n`,
    );
  });

  it.skipIf(!verifier).each(words.slice(0, 5))("is a unit that systemd takes, with the root %j", (root) => {
    for (const scope of ["system", "user"] as const) {
      const path = join(folder, `${scope}.service`);
      fs.writeFileSync(path, serviceUnit({ program: ["/bin/true"], root, scope }));
      const { status, stderr } = spawnSync("systemd-analyze", [`--${scope}`, "verify", path], {
        encoding: "utf8",
        env: { ...process.env, XDG_RUNTIME_DIR: folder },
      });
      const about = stderr.split("\n").filter((line) => line.includes(path));
      expect([status, about]).toEqual([0, []]);
    }
  });
});
