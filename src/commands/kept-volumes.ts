import { dirname } from 'node:path'
import { isShape } from '#policy/shape.ts'
import { listVolumes } from '#programs/docker-volumes.ts'
import type { Hands } from './command.ts'
import { keptFile } from './compose-folders.ts'
import { fileCall } from './file-call.ts'

/** Whose a volume is that was left behind. */
interface KeptVolume {
  readonly app: string
  readonly repository?: string | undefined
  /** Other nodes of the swarm may have it too, which nobody can ask from here. */
  readonly isElsewhere?: boolean | undefined
}

type Kept = Readonly<Record<string, KeptVolume>>

const LARGEST = 1024 * 1024

export interface Leaving {
  readonly app: string
  readonly shelf: string
  /** `name=value` that its volumes carry. */
  readonly label: string
  /** Names of volumes that other nodes may have. */
  readonly elsewhere?: readonly string[]
}

/**
 * Writes down whose the volumes are that a stack or project leaves on this host: what they carry says its name only, and
 * that is free for everybody from then on. Those of which it is known already stay as they are.
 */
export async function noteKeptVolumes(
  hands: Hands,
  { app, shelf, label, elsewhere = [] }: Leaving,
): Promise<void> {
  const { dockerSocket, owner } = hands.host
  const before = await readKept(hands, shelf)
  const here = await hands.perform(listVolumes(dockerSocket, [label]))
  const far = [...elsewhere, ...Object.keys(before).filter(name => before[name]?.isElsewhere)]
  const kept = [...new Set([...here, ...far])].map(name => {
    const whose = before[name] ?? { app, repository: owner?.repository }
    return [name, { ...whose, ...(far.includes(name) ? { isElsewhere: true } : {}) }] as const
  })
  await writeKept(hands, shelf, Object.fromEntries(kept))
}

export interface Wishes {
  readonly app: string
  readonly shelf: string
  /** Names of volumes that it would have. */
  readonly volumes: readonly string[]
  /** Those of them that are on this engine. */
  readonly present: readonly string[]
}

/** Which of these volumes another repository has left here, with the words for whose they are. */
export async function keptByOthers(
  hands: Hands,
  { app, shelf, volumes, present }: Wishes,
): Promise<ReadonlyMap<string, string>> {
  const kept = await readKept(hands, shelf)
  const isGone = (name: string) =>
    volumes.includes(name) && !present.includes(name) && !kept[name]?.isElsewhere
  const stays = Object.entries(kept).filter(([name]) => !isGone(name))
  if (stays.length < Object.keys(kept).length) {
    await writeKept(hands, shelf, Object.fromEntries(stays))
  }
  const { owner } = hands.host
  const others = stays.filter(
    ([name, each]) => volumes.includes(name) && !isOwn(each, { app, repository: owner?.repository }),
  )
  return new Map(others.map(([name, each]) => [name, wordsFor(each)]))
}

function isOwn(kept: KeptVolume, wanting: Omit<KeptVolume, 'isElsewhere'>): boolean {
  return kept.repository === undefined ? kept.app === wanting.app : kept.repository === wanting.repository
}

function wordsFor({ app, repository }: KeptVolume): string {
  return `the app "${app}"${repository === undefined ? '' : ` of the repository "${repository}"`}, which left it here`
}

async function readKept(hands: Hands, shelf: string): Promise<Kept> {
  const path = keptFile(hands.host.workspace, shelf)
  const { text } = await hands.perform(fileCall({ operation: 'read', path, maxBytes: LARGEST }))
  const kept: unknown = text === undefined ? {} : JSON.parse(text)
  return isShape(kept) ? (kept as Kept) : {}
}

async function writeKept(hands: Hands, shelf: string, kept: Kept): Promise<void> {
  const path = keptFile(hands.host.workspace, shelf)
  if (Object.keys(kept).length === 0) {
    await hands.perform(fileCall({ operation: 'remove', path }))
    return
  }
  await hands.perform(fileCall({ operation: 'make-folder', path: dirname(path) }))
  await hands.perform(fileCall({ operation: 'write', path, content: JSON.stringify(kept) }))
}
