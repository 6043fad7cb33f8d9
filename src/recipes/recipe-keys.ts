import { createHash } from 'node:crypto'
import type { Recipe } from './recipe.ts'
import { renderEnvironment, renderProject } from './render-recipe.ts'
import type { TreeFile } from './tree.ts'

/**
 * The names of the three images that lie on each other. Equal keys mean equal images, so an image that is there need
 * not be made: a change of a notebook changes the content alone, one of a dependency the environment and the content.
 */
export interface RecipeKeys {
  readonly base: string
  /** The environment adds nothing to the base. */
  readonly isBaseEnough: boolean
  readonly environment: string
  /** The content can be added as a layer without a build: nothing is executed once it is there. */
  readonly isAppendable: boolean
  readonly content: string
}

/** Raised when images must be made anew though no text changed. */
const EPOCH = '1'
const LENGTH = 24

/** What is executed decides, in one form whatever the builder: the same project has the same keys on every host. */
export function recipeKeys(recipe: Recipe): RecipeKeys {
  const { base, apt, content, environment, project, files, folders, pack } = recipe
  const isOwn = pack === 'docker'
  const shipped = content.files.map(lineOf)
  const environmentParts = isOwn
    ? shipped
    : [
        renderEnvironment(recipe, 'buildkit'),
        ...files.map(file => `${file.path}\0${digest([file.content])}`),
        ...folders.flatMap(folder => folder.files.map(file => `${folder.to}\0${lineOf(file)}`)),
      ]
  const environmentHash = digest([EPOCH, ...environmentParts])
  const projectText = isOwn ? '' : renderProject(recipe, 'buildkit')
  return {
    base: isOwn ? '' : `b-${base.slice(base.indexOf('sha256:') + 'sha256:'.length).slice(0, LENGTH)}`,
    isBaseEnough: !isOwn && apt.length === 0 && isEmpty(environment),
    environment: `e-${environmentHash.slice(0, LENGTH)}`,
    isAppendable: !isOwn && project.steps.length === 0,
    content: `t-${digest([environmentHash, projectText, ...shipped]).slice(0, LENGTH)}`,
  }
}

function isEmpty({ steps, variables, lateVariables, path }: Recipe['environment']): boolean {
  return (
    steps.length + path.length === 0 &&
    Object.keys(variables).length + Object.keys(lateVariables).length === 0
  )
}

function lineOf({ mode, oid, path }: TreeFile): string {
  return `${mode} ${oid} ${path}`
}

/** Each part with its length, so that no two lists read the same. */
function digest(parts: readonly string[]): string {
  const hash = createHash('sha256')
  for (const part of parts) {
    hash.update(`${Buffer.byteLength(part)}\0${part}`)
  }
  return hash.digest('hex')
}
