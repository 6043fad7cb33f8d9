import { posix } from 'node:path'
import { parseReference, withTag } from '#formats/image-reference.ts'
import type { Problem } from '#lib/errors.ts'
import type { Candidate, Described, Shelf } from './convention.ts'
import { ImageConfig, parametersOf, type ReadConfig, readConfig } from './convention-config.ts'
import { isOwn } from './convention-far.ts'
import type { ConventionFile } from './convention-files.ts'
import { type Elsewhere, elsewhereOf, withRepo } from './convention-remote.ts'
import { watched } from './convention-watch.ts'

/** Where the image comes from, from the root of the repository. */
interface Place {
  readonly dockerfile: string
  readonly context: string
}

/** An image: its Dockerfile and, unless it has the early spelling, the file that says its tag. */
export function describeImage({ file, name }: Candidate, app: string, shelf: Shelf): Described {
  const read = file.kind === 'image' ? readImage(file, shelf) : undefined
  const { elsewhere, problems: unknown } = read ? elsewhereOf(file, read, shelf) : { problems: [] }
  const dockerfile = elsewhere ? elsewhere.find('dockerfile', name) : shelf.only('dockerfile', name)?.path
  if (read && !read.config) {
    return { state: 'broken', problems: read.problems }
  }
  if (dockerfile === undefined || unknown.length > 0) {
    const expected = `one file Dockerfile.${name} or Dockerfile-${name}, wherever in the tree`
    const problem = { path: '', message: 'has no Dockerfile', expected, file: file.path }
    return { state: 'broken', problems: unknown.length > 0 ? unknown : [problem] }
  }
  const folder = posix.dirname(dockerfile)
  if (!read?.config) {
    const image = { name: name.toLowerCase(), version: 'latest', push: [] }
    shelf.images.set(`${image.name}:latest`, app)
    return described({ name, paths: [dockerfile] }, { dockerfile, context: folder }, image)
  }
  // Of a Dockerfile that is here while the code is elsewhere, the folder says nothing.
  const base = elsewhere && isOwn(dockerfile) ? elsewhere.folder : folder
  const context = posix.normalize(posix.join(base, read.config.context ?? '.')).replace(/(.)\/$/, '$1')
  const problems = problemsOf(read, read.config, { context, within: elsewhere?.folder })
  const tag = parseReference(read.config.tag)
  if (problems.length > 0 || !tag) {
    return { state: 'broken', problems }
  }
  const push = [read.config.push ?? []].flat()
  for (const reference of [read.config.tag, ...push]) {
    shelf.images.set(withTag(reference), app)
  }
  const args = parametersOf(read.config)
  return described(
    { name, paths: [file.path, ...(elsewhere?.through ?? []), dockerfile], elsewhere },
    { dockerfile, context },
    {
      name: tag.repository,
      version: tag.tag ?? 'latest',
      push,
      ...(Object.keys(args).length > 0 ? { args } : {}),
      ...(read.config.build_secrets ? { build_secrets: read.config.build_secrets } : {}),
    },
  )
}

function readImage({ path, remote }: ConventionFile, { texts }: Shelf): ReadConfig<ImageConfig> {
  return readConfig(remote ? withRepo(ImageConfig) : ImageConfig, path, texts[path])
}

function described(
  {
    name,
    paths,
    elsewhere,
  }: {
    readonly name: string
    readonly paths: readonly string[]
    readonly elsewhere?: Elsewhere | undefined
  },
  { dockerfile, context }: Place,
  settings: Readonly<Record<string, unknown>>,
): Described {
  return {
    state: 'described',
    app: {
      target: 'image',
      settings: { dockerfile, context, ...settings },
      // Which files of the context count is said beside a Dockerfile, wherever that lies.
      common: { watch: watched([...paths, `${dockerfile}.dockerignore`, context]) },
      files: { kind: 'image', name, paths, uses: [], ...(elsewhere ? { remotes: [elsewhere.remote] } : {}) },
    },
  }
}

function faultOf(
  text: string,
  { isTag, pushed }: { readonly isTag: boolean; readonly pushed: readonly string[] },
): { readonly message: string; readonly expected: string } | undefined {
  const parsed = parseReference(text)
  if (!parsed || parsed.digest !== undefined) {
    return { message: 'is not the name of an image', expected: 'such as team/shop:1.4' }
  }
  if (isTag && parsed.host !== undefined && !pushed.includes(text)) {
    const expected = 'a name without registry, or the same name in "push"'
    return { message: 'is in a registry to which it is not pushed', expected }
  }
  return isTag || parsed.host !== undefined
    ? undefined
    : { message: 'names no registry', expected: 'such as registry.example.org/team/shop:1.4' }
}

function problemsOf(
  read: ReadConfig<ImageConfig>,
  config: ImageConfig,
  { context, within }: { readonly context: string; readonly within: string | undefined },
): Problem[] {
  const problems: Problem[] = []
  const isOutside = within !== undefined && context !== within && !context.startsWith(`${within}/`)
  if (isOutside || context.startsWith('..')) {
    problems.push(
      read.problemAt(['context'], 'leaves the repository', 'a folder, from the one of the Dockerfile'),
    )
  }
  const pushed = [config.push ?? []].flat()
  const references = [
    { path: ['tag'], text: config.tag },
    ...pushed.map((text, index) => ({ path: Array.isArray(config.push) ? ['push', index] : ['push'], text })),
  ]
  for (const { path, text } of references) {
    const fault = faultOf(text, { isTag: path[0] === 'tag', pushed })
    if (fault) {
      problems.push(read.problemAt(path, fault.message, fault.expected))
    }
  }
  for (const [index, { value }] of (config.parameters ?? []).entries()) {
    if (typeof value === 'string' && /^\$[A-Za-z_]/.test(value)) {
      const expected = `no secret: it would stay in the image. Name it in "build_secrets" and take it with RUN --mount=type=secret,id=${value.slice(1)}`
      problems.push(read.problemAt(['parameters', index, 'value'], 'is a secret', expected))
    }
  }
  return problems
}
