// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { tmpdir } from "node:os";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { packTree } from "../../archive/index.ts";
import { digestOf } from "../../base/index.ts";
import { imageDetails, writeImage } from "../../images/index.ts";
import { noteWheelLayer } from "../../python/index.ts";
import { openStore } from "../../store/index.ts";
import type { DiffId } from "../../base/index.ts";
import type { ImageDetails } from "../../images/index.ts";
import type { Store } from "../../store/index.ts";
import { libraryName } from "./bundled.ts";
import { takeInventory } from "./inventory.ts";
import { formatPurl, imagePurl } from "./purl.ts";
import { sbomDocument } from "./sbom.ts";
import type { Inventory } from "./types.ts";

let root = "";
let store: Store;
beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), "tare-sbom-"));
  store = openStore({ root, sync: "none" });
});
afterEach(() => {
  store.close();
  fs.rmSync(root, { recursive: true, force: true });
});

type Files = Readonly<Record<string, string>>;

async function addLayer(files: Files): Promise<DiffId> {
  const staging = store.layers.stage();
  for (const [path, content] of Object.entries(files)) {
    const place = join(staging.tree, path);
    fs.mkdirSync(dirname(place), { recursive: true });
    fs.writeFileSync(place, content);
  }
  const packed = await packTree(staging.tree, undefined, { clamp: { after: 0, to: 0 } });
  return staging.commit({ ...packed, opaque: [] }).diffId;
}

function image(layers: readonly DiffId[], env: readonly string[] = []): ImageDetails {
  const created = "2024-05-06T07:08:09.123Z";
  const config = { architecture: "amd64", os: "linux", created, config: { Env: env }, history: [] };
  const written = writeImage(store, { config, layers });
  const record = { target: written.manifest, mediaType: written.mediaType, id: written.config };
  return imageDetails(store, store.images.put(record, ["docker.io/library/app:1"]));
}

async function inventory(files: Files, env: readonly string[] = []): Promise<Inventory> {
  return takeInventory(store, image([await addLayer(files)], env));
}

const SITE = "usr/lib/python3.11/site-packages";
const DEBIAN: Files = {
  "etc/os-release":
    'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
  "var/lib/dpkg/status": `Package: zlib1g
Status: install ok installed
Architecture: amd64
Source: zlib (1:1.2)
Version: 1:1.2+b1
Maintainer: Mark <m@x.org>
Homepage: http://zlib.net/
Description: compression
 Package: not this

Package: gone
Status: deinstall ok config-files
Version: 1

Package: libz-dev
Status: install ok installed
Architecture: amd64
Source: zlib (1:1.2)
Version: 1:1.2+b1
`,
  "usr/share/doc/zlib1g/copyright": "Format: x\nLicense: Zlib\n",
};

describe("packages of dpkg", () => {
  it("are those that are installed, with source and licence; a source's licence is that of its packages", async () => {
    const { packages, system } = await inventory(DEBIAN);
    expect(system).toEqual({
      id: "debian",
      version: "12",
      codename: "bookworm",
      title: "Debian GNU/Linux 12 (bookworm)",
    });
    expect(packages.map(({ name, version, licence }) => [name, version, licence?.expression])).toEqual([
      ["libz-dev", "1:1.2+b1", "Zlib"],
      ["zlib1g", "1:1.2+b1", "Zlib"],
    ]);
    expect(packages[1]).toMatchObject({ source: { name: "zlib", version: "1:1.2" }, maintainer: "Mark <m@x.org>" });
  });

  it("are those of `status.d` in images without dpkg", async () => {
    const found = await inventory({
      "var/lib/dpkg/status.d/tzdata": "Package: tzdata\nVersion: 2024a\nArchitecture: all\n",
      "var/lib/dpkg/status.d/tzdata.md5sums": "0123  usr/share/x\n",
    });
    expect(found.packages.map(({ name, version }) => `${name} ${version}`)).toEqual(["tzdata 2024a"]);
  });

  it("are those that a container sees", async () => {
    const lower = await addLayer(DEBIAN);
    const upper = await addLayer({ "var/lib/dpkg/status": "Package: a\nStatus: install ok installed\nVersion: 1\n" });
    const { packages } = takeInventory(store, image([lower, upper]));
    expect(packages.map(({ name }) => name)).toEqual(["a"]);
  });
});

const METADATA =
  "Metadata-Version: 2.4\nName: Demo.Pkg\nVersion: 2.0\nSummary: a demo\nAuthor: Ann\nLicense-Expression: MIT\n\nText\nName: no\n";
const HASH = Buffer.alloc(32, 7);
const LIBRARY = "libgfortran-040039e1-0352e75f.so.5.0.0";
const WHEEL: Files = {
  [`${SITE}/demo_pkg-2.0.dist-info/METADATA`]: METADATA,
  [`${SITE}/demo_pkg-2.0.dist-info/RECORD`]: [
    `demo_pkg.libs/${LIBRARY},sha256=${HASH.toString("base64url")},4`,
    "demo_pkg/.dylibs/libz.1.2.13.dylib,,",
    "demo_pkg/plain.so,,",
    "demo_pkg.libs/gone.so,,",
    "demo_pkg-2.0.dist-info/sboms/auditwheel.cdx.json,,",
    "demo_pkg-2.0.dist-info/RECORD,,",
    "",
  ].join("\n"),
  [`${SITE}/demo_pkg-2.0.dist-info/sboms/auditwheel.cdx.json`]: JSON.stringify({
    bomFormat: "CycloneDX",
    components: [
      { name: "demo", purl: "pkg:pypi/demo@2.0" },
      { name: "libgfortran", version: "8.5", purl: "pkg:rpm/almalinux/libgfortran@8.5" },
      { name: 7 },
    ],
  }),
  [`${SITE}/demo_pkg.libs/${LIBRARY}`]: "ELF",
  [`${SITE}/demo_pkg/.dylibs/libz.1.2.13.dylib`]: "MACH",
  [`${SITE}/demo_pkg/plain.so`]: "ELF",
};

describe("Python distributions", () => {
  it("have the libraries that their wheels carry", async () => {
    const [found, ...others] = (await inventory(WHEEL)).distributions;
    expect(others).toEqual([]);
    expect(found).toMatchObject({ name: "demo-pkg", version: "2.0", summary: "a demo", author: "Ann" });
    expect(found?.licence?.expression).toBe("MIT");
    expect(found?.libraries).toEqual([
      { name: "libgfortran", version: "8.5", path: "", purl: "pkg:rpm/almalinux/libgfortran@8.5" },
      {
        name: "libgfortran",
        version: "5.0.0",
        path: `/${SITE}/demo_pkg.libs/${LIBRARY}`,
        sha256: HASH.toString("hex"),
      },
      { name: "libz", version: "1.2.13", path: `/${SITE}/demo_pkg/.dylibs/libz.1.2.13.dylib` },
    ]);
  });

  it("name the wheel that a layer was made of", async () => {
    const layer = await addLayer(WHEEL);
    const digest = digestOf("the wheel");
    const fileName = "demo_pkg-2.0-py3-none-any.whl";
    store.documents("wheel").put(digest, { fileName, size: 1, url: `https://index.test/${fileName}` });
    noteWheelLayer(store, layer, {
      wheels: [{ name: "demo-pkg", version: "2.0", fileName, digest, isRequested: true }],
      settings: {} as never,
      bytecode: "none",
    });
    const [found] = takeInventory(store, image([layer])).distributions;
    expect(found?.file).toEqual({
      name: fileName,
      sha256: digest.slice("sha256:".length),
      url: `https://index.test/${fileName}`,
    });
  });

  it.each([
    [
      "an archive",
      { url: "https://u:p@x.test/a/d-1.tar.gz?t=s", archive_info: { hashes: { sha256: "a".repeat(64) } } },
      { name: "d-1.tar.gz", url: "https://x.test/a/d-1.tar.gz", sha256: "a".repeat(64) },
    ],
    [
      "an old hash",
      { url: "https://x.test/d.whl", archive_info: { hash: `sha256=${"b".repeat(64)}` } },
      { name: "d.whl", url: "https://x.test/d.whl", sha256: "b".repeat(64) },
    ],
    ["a folder", { url: "file:///src", dir_info: { editable: true } }, undefined],
    ["nonsense", [], undefined],
  ])("tell by direct_url.json what they were installed from: %s", async (_, direct, file) => {
    const info = `${SITE}/demo_pkg-2.0.dist-info`;
    const files = { [`${info}/METADATA`]: METADATA, [`${info}/direct_url.json`]: JSON.stringify(direct) };
    expect((await inventory(files)).distributions[0]?.file).toEqual(file);
  });

  it("of Debian's own folder are Debian's packages", async () => {
    const found = await inventory({ "usr/lib/python3/dist-packages/six-1.0.egg-info/PKG-INFO": METADATA });
    expect(found.distributions).toEqual([]);
  });

  it("a Python from source is told by PYTHON_VERSION, if it is there", async () => {
    const env = ["PYTHON_VERSION=3.11.9"];
    expect((await inventory({ "usr/local/bin/python3.11": "" }, env)).python?.version).toBe("3.11.9");
    expect((await inventory({ "usr/bin/python3.11": "" }, env)).python).toBeUndefined();
  });
});

describe("names of libraries", () => {
  it.each([
    ["libopenblas64_p-r0-0cf96a72.3.23.dev.so", "libopenblas64_p", "0.3.23.dev"],
    ["libscipy_openblas64_-32a4b2a6.so", "libscipy_openblas64_", ""],
    [LIBRARY, "libgfortran", "5.0.0"],
    ["libjpeg-77ae51ab.so.62.4.0", "libjpeg", "62.4.0"],
    ["libz.1.2.13.dylib", "libz", "1.2.13"],
  ])("%s", (file, name, version) => {
    expect(libraryName(file)).toEqual({ name, version });
  });
});

describe("package URLs", () => {
  it.each([
    [
      { type: "deb", namespace: "debian", name: "libstdc++6", version: "1:12+b1" },
      "pkg:deb/debian/libstdc%2B%2B6@1:12%2Bb1",
    ],
    [
      { type: "pypi", name: "a", version: "1", qualifiers: { z: "1", file_name: "a b", none: "" } },
      "pkg:pypi/a@1?file_name=a%20b&z=1",
    ],
    [{ type: "generic", name: "x" }, "pkg:generic/x"],
  ])("are canonical", (parts, text) => {
    expect(formatPurl(parts)).toBe(text);
  });

  it("of images", () => {
    const facts = { id: "sha256:0", platform: "linux/arm64", created: "" };
    expect(imagePurl({ ...facts, name: "localhost:5000/team/app", tag: "1", digest: "sha256:ab" })).toBe(
      "pkg:oci/app@sha256:ab?arch=arm64&repository_url=localhost:5000%2Fteam%2Fapp&tag=1",
    );
  });
});

describe("documents", () => {
  const tool = { name: "tare", version: "0.1.0" };
  async function documentOf(format: "spdx" | "cyclonedx"): Promise<string> {
    const details = image([await addLayer({ ...DEBIAN, ...WHEEL })]);
    const subject = {
      name: "app",
      tag: "1",
      digest: details.manifestDigest,
      id: details.id,
      platform: "linux/amd64",
      created: details.config.created ?? "",
    };
    const taken = takeInventory(store, details);
    return JSON.stringify(sbomDocument(format, { subject, inventory: taken, tool }));
  }

  it("of SPDX say what is in what", async () => {
    const text = await documentOf("spdx");
    const document = JSON.parse(text) as {
      readonly packages: readonly { readonly SPDXID: string; readonly name: string }[];
      readonly relationships: readonly unknown[];
      readonly creationInfo: { readonly created: string };
    };
    expect(document.creationInfo.created).toBe("2024-05-06T07:08:09Z");
    expect(document.packages.map(({ SPDXID }) => SPDXID.replace("SPDXRef-", ""))).toEqual([
      "Image-app",
      "OperatingSystem-debian-12",
      "Deb-libz-dev-1-1.2-b1-amd64",
      "Deb-zlib1g-1-1.2-b1-amd64",
      "PyPI-demo-pkg-2.0",
      "Bundled-demo-pkg-libgfortran-8.5",
      "Bundled-demo-pkg-libgfortran-5.0.0",
      "Bundled-demo-pkg-libz-1.2.13",
    ]);
    expect(document.relationships).toContainEqual({
      spdxElementId: "SPDXRef-PyPI-demo-pkg-2.0",
      relationshipType: "CONTAINS",
      relatedSpdxElement: "SPDXRef-Bundled-demo-pkg-libgfortran-5.0.0",
    });
    expect(await documentOf("spdx")).toBe(text);
  });

  it("of CycloneDX have libraries inside their distribution", async () => {
    const text = await documentOf("cyclonedx");
    const document = JSON.parse(text) as {
      readonly serialNumber: string;
      readonly components: readonly { readonly name: string; readonly components?: readonly unknown[] }[];
    };
    expect(document.serialNumber).toMatch(
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(document.components.find(({ name }) => name === "demo-pkg")?.components).toContainEqual({
      "bom-ref": "bundled-demo-pkg-libgfortran-5.0.0",
      type: "library",
      name: "libgfortran",
      version: "5.0.0",
      hashes: [{ alg: "SHA-256", content: HASH.toString("hex") }],
      purl: "pkg:generic/libgfortran@5.0.0",
      properties: [{ name: "tare:file:path", value: `/${SITE}/demo_pkg.libs/${LIBRARY}` }],
    });
    expect(await documentOf("cyclonedx")).toBe(text);
  });
});
