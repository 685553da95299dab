import { defineConfig } from "vitest/config";
import type { ViteUserConfig } from "vitest/config";

type Project = NonNullable<NonNullable<ViteUserConfig["test"]>["projects"]>[number];

const project = (name: string, include: string[], timeout: number, retry: number = 0): Project => ({
  test: { name, include, testTimeout: timeout, hookTimeout: timeout, pool: "forks", retry },
});

// Whole commands on a busy machine, with an index elsewhere: one that needs a second try is named by scripts/check.ts.
const SECOND_TRY = process.env["CI"] === "true" ? 1 : 0;

const config: ViteUserConfig = defineConfig({
  test: {
    projects: [
      project("unit", ["src/**/*.test.ts", "test/*.test.ts"], 60_000),
      project("e2e", ["test/e2e/**/*.test.ts"], 300_000, SECOND_TRY),
      project("conformance", ["test/conformance/**/*.test.ts"], 1_200_000, SECOND_TRY),
    ],
  },
});

export default config;
