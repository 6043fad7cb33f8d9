import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { FileCall, FileResult } from '#exec/call.ts'
import type { BindMount } from '#programs/container-parts.ts'
import type { Hands } from './command.ts'

/** Larger files, and folders with more in them, are compared by size and time. */
const LARGEST_BYTES = 1024 * 1024
const MOST_ENTRIES = 500

/** A file or folder of a release that a container mounts. */
export interface ReleaseFile {
  /** By which the release knows it: an id of its content. */
  readonly name: string
  readonly destination: string
  /** What is in it now, as a hash; `missing` when it is gone. */
  readonly content: string
}

/**
 * What of a container's mounts lies in the release folders, with what is in it now. A folder that the container may
 * write to is the container's own, not the release's.
 */
export async function releaseFiles(hands: Hands, binds: readonly BindMount[]): Promise<ReleaseFile[]> {
  const renders = join(hands.host.workspace, 'renders')
  const found: ReleaseFile[] = []
  for (const { source, destination, isWritable } of binds) {
    const [project, folder, name, ...more] = source.startsWith(`${renders}/`)
      ? source.slice(renders.length + 1).split('/')
      : []
    if (project === undefined || folder !== 'files' || name === undefined || more.length > 0) {
      continue
    }
    const stat = await file(hands, { operation: 'stat', path: source })
    if (stat.kind === 'folder' && isWritable) {
      continue
    }
    const budget = { entries: MOST_ENTRIES }
    found.push({ name, destination, content: await contentOf(hands, { path: source, stat, budget }) })
  }
  return found
}

interface Look {
  readonly path: string
  readonly stat: FileResult
  readonly budget: { entries: number }
}

async function contentOf(hands: Hands, { path, stat, budget }: Look): Promise<string> {
  budget.entries -= 1
  if (stat.missing) {
    return 'missing'
  }
  if (stat.kind === 'folder' && budget.entries > 0) {
    const { names = [] } = await file(hands, { operation: 'list', path })
    const parts: string[] = []
    for (const name of names) {
      const inner = join(path, name)
      const content = await contentOf(hands, {
        path: inner,
        stat: await file(hands, { operation: 'stat', path: inner }),
        budget,
      })
      parts.push(`${name} ${content}`)
    }
    return hashOf(parts.join('\n'))
  }
  if (stat.kind !== 'file' || (stat.bytes ?? 0) > LARGEST_BYTES || budget.entries <= 0) {
    return `${stat.kind} ${stat.bytes} ${stat.modifiedMs}`
  }
  const { text = 'missing' } = await file(hands, { operation: 'read', path, maxBytes: LARGEST_BYTES })
  return hashOf(text)
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

type FileWish =
  FileCall<unknown> extends infer C ? (C extends unknown ? Omit<C, 'kind' | 'read'> : never) : never

function file(hands: Hands, wish: FileWish): Promise<FileResult> {
  return hands.perform({ kind: 'file', ...wish, read: result => result } as FileCall<FileResult>)
}
