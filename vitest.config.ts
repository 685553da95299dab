import { defineConfig } from "vitest/config";
import type { ViteUserConfig } from "vitest/config";

type Project = NonNullable<NonNullable<ViteUserConfig["test"]>["projects"]>[number];

const project = (name: string, include: string[], timeout: number): Project => ({
  test: { name, include, testTimeout: timeout, hookTimeout: timeout, pool: "forks" },
});

const config: ViteUserConfig = defineConfig({
  test: {
    projects: [
      project("unit", ["src/**/*.test.ts", "test/*.test.ts"], 60_000),
      project("e2e", ["test/e2e/**/*.test.ts"], 300_000),
      project("conformance", ["test/conformance/**/*.test.ts"], 1_200_000),
    ],
  },
});

export default config;
