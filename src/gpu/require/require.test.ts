// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { shippedGpuData } from "../data/load.ts";
import { checkRequirements } from "./check.ts";
import { evaluateRequirement, termsOf } from "./expression.ts";
import type { RequireFacts } from "./expression.ts";
import { isRequireDisabled, requirementsOf } from "./variables.ts";

const A100: RequireFacts = { cuda: "12.2", driver: "535.104.05", arch: "8.0", brand: "tesla" };

function truth(requirement: string, facts: RequireFacts): string {
  const result = evaluateRequirement(requirement, facts);
  return result.kind === "value" ? result.truth : `malformed ${result.factor}`;
}

/** What NVIDIA's images require: their toolkit, or one of these brands on one of these branches. */
function imageValue(cuda: string, blocks: readonly (readonly [brands: string, branches: readonly number[]])[]): string {
  const alternatives = blocks.flatMap(([brands, branches]) =>
    branches.flatMap((branch) =>
      brands.split(" ").map((brand) => `brand=${brand},driver>=${branch},driver<${branch + 1}`),
    ),
  );
  return [`cuda>=${cuda}`, ...alternatives].join(" ");
}

const OLD = "unknown nvidia nvidiartx quadrortx";
const MIDDLE = "tesla unknown nvidia nvidiartx geforce geforcertx quadro quadrortx titan titanrtx";
const NEW = "unknown grid tesla nvidia quadro quadrortx nvidiartx vapps vpc vcs vws cloudgaming";
/** As in the images' environment; the blocks stand in another order there, which does not matter. */
const IMAGES = {
  "11.8": imageValue("11.8", [
    ["tesla", [450, 470]],
    [OLD, [470, 510, 515]],
  ]),
  "12.4": imageValue("12.4", [[MIDDLE, [470, 525, 535]]]),
  "12.6": imageValue("12.6", [[NEW, [470, 535, 550]]]),
  "12.8": imageValue("12.8", [[NEW, [470, 535, 550, 560, 565]]]),
  "13.0": imageValue("13.0", [[NEW, [535, 550, 565, 570, 575]]]),
} as const;

describe("the language", () => {
  it.each([
    ["cuda>=12.2", "true"],
    ["cuda>=12.3", "false"],
    ["cuda>=12", "true"],
    ["cuda=12.2.0", "true"],
    ["cuda!=12.2.0", "false"],
    ["cuda<12.10", "true"],
    ["CUDA>=12.2", "true"],
    ["cuda>12.2", "false"],
    ["cuda<=12.2.0.0", "true"],
    ["cuda>=12.8 brand=tesla,driver>=535,driver<536", "true"],
    ["cuda>=12.8 brand=geforce,driver>=535,driver<536", "false"],
    ["driver>=535.54.03,driver<535.104", "false"],
    ["cuda>=11.0,driver>=550 arch>=7.5", "true"],
    ["brand=TESLA", "true"],
    ["brand!=geforce", "true"],
    ["arch=8", "true"],
    ["", "true"],
    ["  ", "true"],
    [",", "true"],
    ["cuda>=99 ,", "false"],
    [",cuda>=12.2,", "true"],
    ["cuda>=12.2 rubbish", "true"],
    ["cuda>=99,rubbish cuda>=12", "true"],
    ["foo>=1", "malformed foo>=1"],
    ["cuda>=", "malformed cuda>="],
    ["cuda", "malformed cuda"],
    ["cuda>=12.x", "malformed cuda>=12.x"],
    ["cuda==12", "malformed cuda==12"],
    ["cuda=>12", "malformed cuda=>12"],
    ["brand>=tesla", "malformed brand>=tesla"],
    [">=12", "malformed >=12"],
    ["cuda>=99 rubbish", "malformed rubbish"],
    ["cuda>=99999999999999999999", "malformed cuda>=99999999999999999999"],
  ])("%j on an A100 with driver 535.104.05: %s", (requirement, result) => {
    expect(truth(requirement, A100)).toBe(result);
  });

  it.each([
    ["brand=tesla,driver>=535", { driver: "535.104.05" }, "unknown"],
    ["brand=tesla,driver>=550", { driver: "535.104.05" }, "false"],
    ["brand=tesla,driver>=535 driver>=535", { driver: "535.104.05" }, "true"],
    ["brand=tesla rubbish", {}, "unknown"],
    ["cuda>=13.0", { driver: "535" }, "unknown"],
    ["driver>=535,driver<536", { driver: "535" }, "true"],
    ["driver>=535.54.03", { driver: "535" }, "unknown"],
    ["driver>=550.54.14", { driver: "535" }, "false"],
    ["arch>=7.5", {}, "unknown"],
  ])("%j where only %j is known: %s", (requirement, facts, result) => {
    expect(truth(requirement, facts)).toBe(result);
  });
});

describe("properties", () => {
  const version = fc
    .array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 3 })
    .map((parts) => parts.join("."));
  const brand = fc.constantFrom("tesla", "geforce", "Quadro");
  const factor = fc.oneof(
    fc.tuple(fc.constantFrom("cuda", "driver", "arch"), fc.constantFrom("=", "!=", "<", "<=", ">", ">="), version),
    fc.tuple(fc.constant("brand"), fc.constantFrom("=", "!="), brand),
  );
  const terms = fc.array(fc.array(factor, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 });
  const facts = fc.record({ cuda: version, driver: version.map((text) => `${text}.1`), arch: version, brand });
  type Terms = readonly (readonly (readonly [string, string, string])[])[];

  const text = (list: Terms): string => list.map((term) => term.map((parts) => parts.join("")).join(",")).join(" ");

  /** The same by weights instead of element by element. */
  const weight = (value: string): number =>
    value.split(".").reduce((sum, part, place) => sum + Number(part) / 100 ** place, 0);
  const factorHolds = (
    [property, operator, wanted]: readonly [string, string, string],
    known: Required<RequireFacts>,
  ): boolean => {
    const actual = known[property as keyof RequireFacts];
    if (property === "brand") return (actual.toLowerCase() === wanted.toLowerCase()) === (operator === "=");
    const [a, b] = [weight(actual), weight(wanted)];
    return { "=": a === b, "!=": a !== b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b }[operator] ?? false;
  };

  it("evaluates as a plain reading of the grammar does, when everything is known", () => {
    fc.assert(
      fc.property(terms, facts, (list, known) => {
        const wanted = list.some((term) => term.every((parts) => factorHolds(parts, known)));
        expect(truth(text(list), known)).toBe(String(wanted));
      }),
    );
  });

  it("never changes a decided result when more becomes known", () => {
    fc.assert(
      fc.property(terms, facts, fc.subarray(["cuda", "driver", "arch", "brand"] as const), (list, known, hidden) => {
        const partial = Object.fromEntries(
          Object.entries(known).filter(([key]) => !hidden.some((name) => name === key)),
        );
        const early = truth(text(list), partial);
        if (early !== "unknown") expect(truth(text(list), known)).toBe(early);
      }),
    );
  });

  it("holds with one more alternative whenever it held", () => {
    fc.assert(
      fc.property(terms, terms, facts, (list, more, known) => {
        if (truth(text(list), known) === "true") expect(truth(text([...more, ...list]), known)).toBe("true");
      }),
    );
  });

  it("reads any text without an exception", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."cudabrn<>=!., 0123") }), facts, (any, known) => {
        expect(["true", "false", "unknown", "malformed"]).toContain(truth(any, known).split(" ")[0]);
      }),
    );
  });
});

describe("images of CUDA", () => {
  const machine = (cuda: string, driver: string, brand: string): RequireFacts => ({ cuda, driver, arch: "8.6", brand });
  it.each([
    ["11.8", machine("11.4", "470.256.02", "tesla"), "true"],
    ["11.8", machine("11.4", "470.256.02", "geforce"), "false"],
    ["11.8", machine("11.0", "450.80.02", "tesla"), "true"],
    ["11.8", machine("11.0", "450.80.02", "nvidia"), "false"],
    ["11.8", machine("12.2", "535.104.05", "geforce"), "true"],
    ["12.4", machine("12.2", "535.104.05", "geforce"), "true"],
    ["12.4", machine("12.3", "545.23.08", "tesla"), "false"],
    ["12.4", machine("12.0", "525.147.05", "titanrtx"), "true"],
    ["12.6", machine("12.4", "550.90.07", "geforce"), "false"],
    ["12.6", machine("12.4", "550.90.07", "nvidia"), "true"],
    ["12.8", machine("12.2", "535.104.05", "geforce"), "false"],
    ["12.8", machine("12.2", "535.104.05", "tesla"), "true"],
    ["12.8", machine("12.5", "555.42.06", "tesla"), "false"],
    ["12.8", machine("12.8", "570.124.06", "geforce"), "true"],
    ["13.0", machine("11.4", "470.256.02", "tesla"), "false"],
    ["13.0", machine("12.8", "570.124.06", "nvidiartx"), "true"],
    ["13.0", machine("12.8", "570.124.06", "geforce"), "false"],
    ["13.0", machine("13.0", "580.95.05", "geforce"), "true"],
  ] as const)("CUDA %s on %j: %s", (image, facts, result) => {
    expect(truth(IMAGES[image], facts)).toBe(result);
  });

  it("agree with the branches that the data has for their compatibility packages", async () => {
    const data = await shippedGpuData();
    for (const [cuda, value] of Object.entries(IMAGES)) {
      const named = new Set([...value.matchAll(/driver>=(\d+)/g)].map(([, branch]) => Number(branch)));
      const row = data.compat.find((compat) => compat.cuda === cuda);
      expect(row?.drivers, cuda).toEqual([...named].toSorted((a, b) => a - b));
    }
  });
});

describe("variables", () => {
  it.each([
    ["none", {}, []],
    ["one", { NVIDIA_REQUIRE_CUDA: "cuda>=12" }, ["NVIDIA_REQUIRE_CUDA cuda>=12"]],
    ["any name after the prefix", { NVIDIA_REQUIRE_X: "arch>=8" }, ["NVIDIA_REQUIRE_X arch>=8"]],
    ["not that of Jetson", { NVIDIA_REQUIRE_JETPACK: "csv-mounts=all", NVIDIA_REQUIRE_JETPACK_X: "a" }, []],
    ["a legacy image", { CUDA_VERSION: "10.1.243" }, ["CUDA_VERSION cuda>=10.1"]],
    [
      "a legacy image with an empty variable",
      { CUDA_VERSION: "9.0", NVIDIA_REQUIRE_CUDA: "" },
      ["NVIDIA_REQUIRE_CUDA ", "CUDA_VERSION cuda>=9.0"],
    ],
    [
      "no legacy image",
      { CUDA_VERSION: "12.8.1", NVIDIA_REQUIRE_CUDA: "cuda>=12.8" },
      ["NVIDIA_REQUIRE_CUDA cuda>=12.8"],
    ],
    [
      "a legacy image with another requirement",
      { CUDA_VERSION: "12.8.1", NVIDIA_REQUIRE_DRIVER: "driver>=1" },
      ["NVIDIA_REQUIRE_DRIVER driver>=1", "CUDA_VERSION cuda>=12.8"],
    ],
  ] as const)("%s", (_name, env, requirements) => {
    expect(requirementsOf(env).map(({ variable, expression }) => `${variable} ${expression}`)).toEqual(requirements);
  });

  it.each([
    ["1", true],
    ["t", true],
    ["T", true],
    ["TRUE", true],
    ["true", true],
    ["True", true],
    ["0", false],
    ["false", false],
    ["yes", false],
    ["tRUE", false],
    ["", false],
  ])("NVIDIA_DISABLE_REQUIRE=%s disables: %s", (value, disabled) => {
    expect(isRequireDisabled({ NVIDIA_DISABLE_REQUIRE: value })).toBe(disabled);
  });
});

describe("findings", () => {
  const target = { cuda: "12.2", driver: "535.104.05", gpus: [{ architecture: "8.9", brand: "geforce" }] };
  it("say in one sentence what failed, with the values, and name the driver that would do", async () => {
    const env = { NVIDIA_REQUIRE_CUDA: IMAGES["12.8"] };
    expect(checkRequirements(env, target, await shippedGpuData())).toEqual([
      {
        rule: "require-unsatisfied",
        level: "error",
        message:
          "`NVIDIA_REQUIRE_CUDA` wants `cuda>=12.8` (its 60 alternatives are for other brands), and here cuda is 12.2, driver is 535.104.05, brand is geforce",
        fix: "install NVIDIA's driver 570.26 or newer, or use an image with an older CUDA",
      },
    ]);
  });

  it("name the alternatives of the GPU's own brand", () => {
    const machine = { cuda: "12.5", driver: "555.42.06", gpus: [{ brand: "tesla" }] };
    const [finding] = checkRequirements({ NVIDIA_REQUIRE_CUDA: IMAGES["12.8"] }, machine);
    expect(finding?.message).toContain(
      "wants `cuda>=12.8` or `brand=tesla,driver>=470,driver<471` or `brand=tesla,driver>=535,driver<536` or `brand=tesla,driver>=550,driver<551` or one of 2 more, and here",
    );
    expect(finding?.fix).toContain("a driver that carries CUDA 12.8 or newer");
  });

  it("say by what a requirement is satisfied, or on what it hangs", () => {
    const env = { NVIDIA_REQUIRE_CUDA: IMAGES["12.8"] };
    const datacenter = { ...target, gpus: [{ brand: "Tesla" }] };
    expect(checkRequirements(env, datacenter)).toMatchObject([
      { rule: "require-satisfied", level: "ok", message: expect.stringContaining("brand=tesla,driver>=535") as string },
    ]);
    expect(checkRequirements(env, { ...target, gpus: [{}] })).toMatchObject([
      { rule: "require-unknown", level: "unknown" },
    ]);
  });

  it("hold for every GPU, and without one for the driver alone", () => {
    const env = { NVIDIA_REQUIRE_ARCH: "arch>=8.0" };
    const gpus = [{ architecture: "8.6" }, { architecture: "7.0" }, { architecture: "7.0" }];
    expect(checkRequirements(env, { gpus }).map(({ level }) => level)).toEqual(["ok", "error"]);
    expect(checkRequirements(env, { gpus: [] }).map(({ level }) => level)).toEqual(["unknown"]);
  });

  it("must all hold", () => {
    const env = { NVIDIA_REQUIRE_A: "cuda>=12", NVIDIA_REQUIRE_B: "driver>=550" };
    expect(checkRequirements(env, target).map(({ level }) => level)).toEqual(["ok", "error"]);
  });

  it("look the driver's CUDA up", async () => {
    const machine = { driver: "535.104.05", gpus: [] };
    const env = { NVIDIA_REQUIRE_CUDA: "cuda>=12.3" };
    expect(checkRequirements(env, machine)).toMatchObject([{ level: "unknown" }]);
    expect(checkRequirements(env, machine, await shippedGpuData())).toMatchObject([{ level: "error" }]);
  });

  it("refuse what can't be read", () => {
    expect(checkRequirements({ NVIDIA_REQUIRE_CUDA: "cuda" }, target)).toMatchObject([
      {
        rule: "require-malformed",
        level: "error",
        message: "`NVIDIA_REQUIRE_CUDA` of the image can't be read: `cuda`: it has no operator",
      },
    ]);
    expect(checkRequirements({ CUDA_VERSION: "latest" }, target)).toMatchObject([{ rule: "require-malformed" }]);
  });

  it("are none without requirements, and say when they are disabled", () => {
    expect(checkRequirements({ NVIDIA_REQUIRE_CUDA: " " }, target)).toEqual([]);
    expect(checkRequirements({ NVIDIA_DISABLE_REQUIRE: "1" }, target)).toEqual([]);
    expect(checkRequirements({ NVIDIA_REQUIRE_CUDA: "cuda>=99", NVIDIA_DISABLE_REQUIRE: "1" }, target)).toMatchObject([
      { rule: "require-disabled", level: "warning" },
    ]);
  });

  it("count the terms of an image", () => {
    expect(termsOf(IMAGES["12.8"])).toHaveLength(61);
  });
});
