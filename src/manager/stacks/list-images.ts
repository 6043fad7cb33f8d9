import type { Static } from 'typebox'
import type { ListedImage } from '#commands/image-list.ts'
import type { ImageDocument, ImageList } from '#contract/rest/stacks.ts'
import { readConvention } from '#deploy-file/convention-apps.ts'
import type { ReadApp } from '#deploy-file/read-apps.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { TARGETS } from '#targets/index.ts'
import { askHosts } from './ask-hosts.ts'
import { lacksOf } from './list-stacks.ts'
import { type CodeQuery, readStackCodes, type StackCode } from './read-code.ts'

interface Listed {
  readonly images: readonly Static<typeof ListedImage>[]
  readonly truncated: boolean
}

/** The images that the engines have, with the file that describes each, if one does. */
export async function listImages(parts: ManagerParts, query: CodeQuery): Promise<ImageList> {
  const [codes, { answers, unseen }] = await Promise.all([
    readStackCodes(parts, query),
    askHosts<Listed>(parts, 'image.list'),
  ])
  const described = codes.read.flatMap(code => imagesOf(code).map(app => ({ code, app })))
  const items = answers.flatMap(({ host, engine, answer }) =>
    answer.images.map(image => {
      const found = described.find(({ app }) => image.tags.some(tag => isOf(tag, app)))
      return documentOf({ host, engine }, image, found && { code: found.code, app: found.app })
    }),
  )
  return {
    items,
    ...lacksOf(codes),
    unseen,
    truncated: answers.some(({ answer }) => answer.truncated),
  }
}

function imagesOf({ source }: StackCode): ReadApp[] {
  const read = readConvention(source.paths, source.texts, TARGETS)
  return (read?.apps ?? []).filter(({ files }) => files?.kind === 'image')
}

/** `web:1.4`, also under the name of a registry that it is pushed to. */
function isOf(tag: string, { settings }: ReadApp): boolean {
  const { name, version, push = [] } = settings as { name: string; version: string; push?: readonly string[] }
  return tag === `${name}:${version}` || push.includes(tag)
}

function documentOf(
  place: Pick<ImageDocument, 'host' | 'engine'>,
  { id, tags, digests, created }: Static<typeof ListedImage>,
  found: { readonly code: StackCode; readonly app: ReadApp } | undefined,
): ImageDocument {
  return {
    ...place,
    ...{ id, tags, digests },
    created_at: new Date(created * 1000).toISOString(),
    config: found
      ? {
          repository: found.code.repository.name,
          app: found.app.name,
          file: found.app.files?.paths[0] ?? '',
          settings: { ...found.app.settings },
        }
      : null,
  }
}
