// SPDX-License-Identifier: Apache-2.0
export { assembleBase } from "./assemble.ts";
export type { AssembleRequest, AssembledBase } from "./assemble.ts";
export { parseRecipe, recipeNames } from "./recipe.ts";
export type { Recipe, RecipeOptions } from "./recipe.ts";
