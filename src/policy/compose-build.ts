import { posix } from 'node:path'
import { parseReference, withTag } from '#formats/image-reference.ts'
import type { ModelPath } from './finding.ts'
import { isRemote, type RuleContext } from './rule-context.ts'
import { isOn, listOf, pairsOf, type Shape, scalarText, shapeOf, shapesOf } from './shape.ts'

const ASK = 'Remove it, or ask an administrator for an exception.'

/** POL070, POL071: where the image comes from. A built service's own name for its image is not used. */
export function checkImage({ report, rules, project }: RuleContext, path: ModelPath, service: Shape): void {
  const image = scalarText(service.image)
  if (service.build !== undefined && service.build !== null) {
    return
  }
  // Neither "image" nor "build": another file may add it, and Compose itself says so when none does.
  if (image === undefined) {
    return
  }
  const reference = parseReference(image)
  if (!reference) {
    report.refuse('POL071', [...path, 'image'], {
      message: `"${image.slice(0, 100)}" is not an image reference.`,
      fix: 'Write registry/name:tag in lower case, the tag at most 128 characters.',
    })
  } else if (reference.host === undefined && project.ownImages?.includes(withTag(image)) === true) {
    return
  } else if (rules.registries.length > 0 && !rules.registries.includes(reference.host ?? 'docker.io')) {
    report.deny('POL070', [...path, 'image'], {
      message: `registry "${reference.host ?? 'docker.io'}" is not in the allow-list.`,
      fix: `Use an image of ${rules.registries.join(', ')}, or have the administrator add it.`,
    })
  }
}

/** POL100 to POL104: what a build may read and use. */
export function checkBuild(context: RuleContext, path: ModelPath, service: Shape): void {
  const build = shapeOf(service.build)
  const at = [...path, 'build']
  const inContext = checkContext(context, at, build)
  checkDockerfilePath(context, at, [build, inContext])
  checkBuildPowers(context, at, build)
  for (const { at: last, value } of pairsOf(build.additional_contexts, ['='])) {
    checkFolder(context, [...at, 'additional_contexts', last], value)
  }
  for (const { at: last, key, value } of pairsOf(build.args, ['='])) {
    if (key.toUpperCase() === 'BUILDKIT_SYNTAX') {
      context.report.refuse('POL101', [...at, 'args', last], {
        message: `the build argument "${key}" replaces the program that reads the Dockerfile (${value}).`,
        fix: 'Remove it.',
      })
    }
  }
}

function checkContext(context: RuleContext, at: ModelPath, build: Shape): string | undefined {
  const written = scalarText(build.context)
  return written === undefined ? undefined : checkFolder(context, [...at, 'context'], written)
}

function checkFolder(
  { report, inCheckout }: RuleContext,
  at: ModelPath,
  written: string | undefined,
): string | undefined {
  if (written === undefined) {
    return undefined
  }
  if (isRemote(written)) {
    report.refuse('POL030', at, {
      message: `remote build context "${written}" is not allowed;`,
      fix: 'commit the files to the repository.',
    })
    return undefined
  }
  const folder = inCheckout(written)
  if (folder === undefined) {
    report.refuse('POL031', at, {
      message: `"${written}" is outside the repository.`,
      fix: 'Use a folder of the repository (./…).',
    })
  }
  return folder
}

function checkDockerfilePath(
  { report }: RuleContext,
  at: ModelPath,
  [build, folder]: readonly [Shape, string | undefined],
): void {
  const written = scalarText(build.dockerfile)
  if (written !== undefined && (folder !== undefined || build.context === undefined)) {
    const path = posix.normalize(written)
    if (path.startsWith('/') || path.startsWith('~') || path === '..' || path.startsWith('../')) {
      report.refuse('POL031', [...at, 'dockerfile'], {
        message: `"${written}" is outside the build context.`,
        fix: 'Put the Dockerfile into the build context, or widen the context.',
      })
    }
  }
  if (scalarText(build.dockerfile_inline) !== undefined) {
    report.refuse('POL100', [...at, 'dockerfile_inline'], {
      message: '"dockerfile_inline" is not supported.',
      fix: 'Commit a Dockerfile and name it in "dockerfile".',
    })
  }
}

function checkBuildPowers({ report }: RuleContext, at: ModelPath, build: Shape): void {
  const network = scalarText(build.network)
  const asked: readonly (readonly [string, boolean])[] = [
    ['privileged', isOn(build.privileged)],
    ['entitlements', listOf(build.entitlements).length > 0],
    ['network', network !== undefined && network !== 'none' && network !== 'default'],
    [
      'ssh',
      build.ssh !== undefined &&
        build.ssh !== null &&
        shapesOf(build.ssh).length + pairsOf(build.ssh, ['=']).length > 0,
    ],
  ]
  for (const [key] of asked.filter(([, asks]) => asks)) {
    report.deny('POL102', [...at, key], {
      message: `"${key}" gives a build more than it may have.`,
      fix: ASK,
    })
  }
  for (const key of [
    'cache_from',
    'cache_to',
    'extra_hosts',
    'isolation',
    'platforms',
    'shm_size',
    'ulimits',
    'tags',
    'no_cache',
    'pull',
  ]) {
    if (isOn(build[key]) && (!Array.isArray(build[key]) || listOf(build[key]).length > 0)) {
      report.warn('POL104', [...at, key], {
        message: `"${key}" has no effect in builds here.`,
        fix: 'Remove it.',
      })
    }
  }
}
