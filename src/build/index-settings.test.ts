// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
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

it("shows folders of distributions, and adds the project's own indexes", () => {
  mkdirSync(join(folder, "links"));
  const { secrets, folders } = indexSettings(
    { ...HOME, PIP_FIND_LINKS: `${join(folder, "links")} https://links/page /no/folder`, PIP_NO_INDEX: "1" },
    ["https://me:secret@own/simple"],
  );
  expect(Object.entries(folders).map(([target, { root }]) => [target, root])).toEqual([
    ["/run/tare-links-0", join(folder, "links")],
  ]);
  const { filter } = folders["/run/tare-links-0"] ?? {};
  expect(["a-1-py3-none-any.whl", "a-1.tar.gz", "notes.txt"].map((name) => filter?.excludes(name, false))).toEqual([
    false,
    false,
    true,
  ]);
  expect(secrets.get("UV_FIND_LINKS")?.()?.toString()).toBe("https://links/page,/run/tare-links-0");
  expect(secrets.get("UV_INDEX")?.()?.toString()).toBe("https://me:secret@own/simple");
  expect(secrets.get("UV_NO_INDEX")?.()?.toString()).toBe("1");
});

it("leaves out what is not there", () => {
  const { secrets, env } = indexSettings({ HOME: "/nonexistent", PIP_CONFIG_FILE: "/dev/null", PIP_CERT: "/no/file" });
  expect(env).toEqual([]);
  expect([...secrets.keys()]).toEqual(["UV_DEFAULT_INDEX"]);
});
