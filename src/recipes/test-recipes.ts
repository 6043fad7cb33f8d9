import { ok } from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { instructionsOf } from '#formats/dockerfile-instructions.ts'
import type { RecipeBase } from './bases.ts'
import type { NotebookSettings } from './notebook-settings.ts'
import { planRecipe, type RecipeInput } from './plan-recipe.ts'
import type { Recipe } from './recipe.ts'
import { folderOf } from './test-cases.ts'

export type Files = Readonly<Record<string, string>>

/** A base image with everything, and one as Debian 12 makes it. */
export const BASES: readonly RecipeBase[] = [
  {
    name: 'full',
    reference: `registry.example.org/nb/base@sha256:${'a'.repeat(64)}`,
    pythons: ['3.9', '3.10', '3.11', '3.12', '3.13', '3.14'],
    r: '4.4.2',
    julia: '1.10.5',
    tools: ['uv', 'micromamba'],
  },
  ...['4.2.3', '4.3.3'].map(r => ({
    name: `r${r}`,
    reference: `registry.example.org/nb/r@sha256:${'b'.repeat(64)}`,
    pythons: ['3.12'],
    r,
    tools: [],
  })),
  ...['1.3.0', '1.12.1'].map(julia => ({
    name: `julia${julia}`,
    reference: `registry.example.org/nb/julia@sha256:${'c'.repeat(64)}`,
    pythons: ['3.12'],
    julia,
    tools: [],
  })),
]

export function inputOf(
  files: Files,
  settings: NotebookSettings = {},
): Omit<RecipeInput, 'bases'> & { readonly bases: readonly RecipeBase[] } {
  return {
    folder: folderOf(files),
    files: Object.entries(files).map(([path, text]) => ({
      path,
      mode: '100644',
      oid: createHash('sha1').update(text).digest('hex'),
    })),
    settings,
    bases: BASES,
    date: '2026-01-31',
  }
}

export function recipeOf(files: Files, settings: NotebookSettings = {}): Recipe {
  const found = planRecipe(inputOf(files, settings))
  ok(!('refused' in found), JSON.stringify(found))
  return found
}

/** The codes of all that forbids a recipe. */
export function refusalsOf(files: Files, settings: NotebookSettings = {}): string[] {
  const found = planRecipe(inputOf(files, settings))
  return 'refused' in found ? found.refused.map(({ code }) => code) : []
}

/** The instructions of a Dockerfile, each on one line. */
export function linesOf(text: string): string[] {
  return instructionsOf(text).map(({ word, rest }) => `${word} ${rest.replace(/\s+/g, ' ')}`)
}
