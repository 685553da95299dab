// SPDX-License-Identifier: Apache-2.0
/* What --slim leaves out is missed by nothing: every module of these packages imports as without it, and works. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoBusybox } from "../support/bases.ts";
import { openProgramWorld } from "../support/program.ts";
import type { ProgramWorld } from "../support/program.ts";
import { addPythonBase, whyNoPythonBase } from "../support/python-base.ts";
import { startIndex } from "../support/wheel-index.ts";
import type { IndexPeer } from "../support/wheel-index.ts";
import { fetchWheels, whyNoWheels } from "../support/wheels.ts";

const reason = whyNoBusybox() ?? whyNoPythonBase() ?? whyNoWheels();
if (reason !== undefined) console.log(`skipped: slim: ${reason}`);

const ROOTS = ["numpy", "scipy", "pandas", "sklearn"];
const WHEELS = ["numpy", "scipy", "pandas", "scikit-learn", "python-dateutil", "six", "joblib", "threadpoolctl"];
const MORE = ["tzdata", "narwhals", "cloudpickle", "uv"];

/** Imports every module but the test suites and prints how that went. */
const IMPORT_ALL = `import contextlib, importlib, io, json, pkgutil, sys, warnings
warnings.simplefilter("ignore")
HIDDEN = {"tests", "conftest", "__main__", "_precompute", "setup"}
def walk(name, out):
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            module = importlib.import_module(name)
        out[name] = "ok"
    except BaseException as error:
        out[name] = type(error).__name__ + ": " + str(error)
        return
    for info in pkgutil.iter_modules(getattr(module, "__path__", [])):
        if info.name not in HIDDEN:
            walk(name + "." + info.name, out)
out = {}
for name in sys.argv[1:]:
    walk(name, out)
json.dump(out, sys.stdout)
`;

const USE = `import io
import numpy, numpy.testing, numpy.f2py, pandas, scipy.linalg, scipy.optimize, scipy.sparse, scipy.special, scipy.stats
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.svm import SVC
random = numpy.random.default_rng(1)
a = random.random((50, 50))
numpy.testing.assert_allclose(scipy.linalg.inv(a) @ a, numpy.eye(50), atol=1e-6)
assert scipy.optimize.minimize(lambda x: (x[0] - 3) ** 2, [0.0]).x[0].round(3) == 3
assert round(float(scipy.stats.norm.cdf(0)), 6) == 0.5 and scipy.special.hyp2f1(1, 2, 3, 0.5) > 1
assert scipy.sparse.csr_array(numpy.eye(3)).nnz == 3
frame = pandas.read_csv(io.StringIO("a,b\\n1,x\\n2,y\\n3,x\\n"))
assert frame.groupby("b").a.sum().to_dict() == {"x": 4, "y": 2}
pandas.testing.assert_frame_equal(frame, frame.copy())
x, y = load_iris(return_X_y=True)
assert HistGradientBoostingClassifier(max_iter=5).fit(x, y).score(x, y) > 0.9 and SVC().fit(x, y).score(x, y) > 0.9
print("works")
`;

describe.skipIf(reason !== undefined)("a slim image", () => {
  let world: ProgramWorld;
  let index: IndexPeer;
  let said = "";
  beforeAll(async () => {
    world = openProgramWorld("slim");
    addPythonBase(world);
    index = await startIndex(await fetchWheels([...WHEELS, ...MORE]));
    const folder = world.files("project", {
      "requirements.txt": "numpy\nscipy\npandas\nscikit-learn\n",
      "main.py": IMPORT_ALL,
      "use.py": USE,
    });
    const { env } = index;
    for (const args of [
      ["-t", "full"],
      ["-t", "slim", "--slim"],
    ]) {
      const built = await world.tareAsync(["build", "--progress", "plain", ...args, folder], { env });
      if (built.code !== 0) throw new Error(built.err);
      said = built.err;
    }
  });
  afterAll(async () => {
    world.close();
    await index.stop();
  });

  it("says what it left out, when it is built and later", () => {
    expect(said).toMatch(/slim: +debug-symbols, headers, sources, static-libraries, tests left out\n/);
    expect(said).toMatch(/\nLeft out [\d.]+MB in \d+ files: tests [\d.]+MB in \d+, .* \(docs\/slim\.md\)\n/);
    const size = (name: string): { merged: number; leftOut: { size: number }[]; deadWeight: { isSlim: boolean }[] } =>
      JSON.parse(world.ok("image", "size", "--json", name)) as ReturnType<typeof size>;
    const [full, slim] = [size("full"), size("slim")];
    const leftOut = slim.leftOut.reduce((sum, row) => sum + row.size, 0);
    expect(leftOut).toBeGreaterThan(20e6);
    // RECORD is shorter by the lines of what was left out, and modules that are not there are not compiled.
    expect(full.merged - slim.merged).toBeGreaterThanOrEqual(leftOut);
    expect(full.merged - slim.merged).toBeLessThan(leftOut * 1.1);
    expect(slim.deadWeight.filter(({ isSlim }) => isSlim)).toEqual([]);
    expect(full.leftOut).toEqual([]);
  });

  it("imports every module as the full one does", () => {
    const imports = (name: string): Record<string, string> =>
      JSON.parse(world.ok("run", "--rm", name, "python3", "main.py", ...ROOTS)) as Record<string, string>;
    const slim = imports("slim");
    expect(Object.values(slim).filter((result) => result === "ok").length).toBeGreaterThan(1000);
    expect(slim).toEqual(imports("full"));
  });

  it("does its work, and pip finds nothing wrong with it", () => {
    expect(world.ok("run", "--rm", "slim", "python3", "use.py")).toBe("works");
    expect(world.ok("run", "--rm", "slim", "pip", "check")).toContain("No broken requirements found.");
    const show = world.ok("run", "--rm", "slim", "pip", "show", "-f", "numpy");
    expect(show).toContain("numpy/__init__.py");
    expect(show).not.toMatch(/\/tests\/|include\/numpy\/arrayobject\.h/);
  });

  it("keeps what compilers read where the project asks for one, and is refused for a Dockerfile", async () => {
    const folder = world.files("compiler", {
      "requirements.txt": "six\n",
      "main.py": "import six\n",
      "tare.toml": 'packages = ["build-essential"]\n',
    });
    const { env } = index;
    const plan = await world.tareAsync(["build", "--plan", "--json", "--slim", folder], { env });
    expect(plan.err).toBe("");
    const vertices = JSON.parse(plan.out) as { op: { type: string; slim?: string[] } }[];
    const slim = vertices.filter(({ op }) => op.type === "wheels").map(({ op }) => op.slim);
    expect(slim).toEqual([["debug-symbols", "tests"]]);
    const dockerfile = world.files("dockerfile", { Dockerfile: "FROM python:3.11-slim\n" });
    expect(world.tare(["build", "--slim", dockerfile]).err).toMatch(/error\[E_UNSUPPORTED\]: building with --slim/);
  });
});
