// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { indexSettings } from "./index-settings.ts";

const folder = mkdtempSync(join(tmpdir(), "tare-index-"));
afterAll(() => rmSync(folder, { recursive: true }));

const HOME = { HOME: folder, PIP_CONFIG_FILE: "/dev/null" };

it("gives credentials as secrets, and in nothing that is part of a key", () => {
  const { secrets, mounts, env } = indexSettings({
    ...HOME,
    PIP_INDEX_URL: "https://me:secret@index/simple",
    PIP_EXTRA_INDEX_URL: "https://a/simple https://b/simple",
    UV_INDEX_A_PASSWORD: "other",
    HTTPS_PROXY: "http://u:p@proxy:1",
    UNRELATED: "x",
  });
  expect(secrets.get("UV_DEFAULT_INDEX")?.()?.toString()).toBe("https://me:secret@index/simple");
  expect(secrets.get("UV_INDEX")?.()?.toString()).toBe("https://a/simple https://b/simple");
  expect([...secrets.keys()].sort()).toEqual(["HTTPS_PROXY", "UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_A_PASSWORD"]);
  expect(JSON.stringify([mounts, env])).not.toMatch(/secret@|other|u:p@/);
  expect(mounts.every(({ type }) => type === "secret")).toBe(true);
});

it("gives certificates and netrc as files that only root of the container reads", () => {
  writeFileSync(join(folder, "ca.pem"), "certificate");
  writeFileSync(join(folder, ".netrc"), "machine index login me password secret\n");
  const { secrets, mounts, env } = indexSettings({ ...HOME, PIP_CERT: join(folder, "ca.pem") });
  expect(env).toEqual(["SSL_CERT_FILE=/run/tare-ca.pem", "NETRC=/run/tare-netrc"]);
  expect(secrets.get("/run/tare-netrc")?.()?.toString()).toContain("password secret");
  const files = mounts.filter((mount) => mount.type === "secret" && mount.target !== undefined);
  expect(files).toMatchObject([{ mode: 0o400 }, { mode: 0o400 }]);
});

it("leaves out what is not there", () => {
  const { secrets, env } = indexSettings({ HOME: "/nonexistent", PIP_CONFIG_FILE: "/dev/null", PIP_CERT: "/no/file" });
  expect(env).toEqual([]);
  expect([...secrets.keys()]).toEqual(["UV_DEFAULT_INDEX"]);
});
